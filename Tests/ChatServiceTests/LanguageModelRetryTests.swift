import Testing

@testable import ChatService

@Suite("Retry schedule")
struct LanguageModelRetryTests {
    @Test func theWaitsDoubleAndEndAfterTheLastTry() {
        var schedule = ModelRetrySchedule()
        let waits = (0..<5).map { _ in schedule.wait(retryAfter: nil, timeLeft: .seconds(100), jitter: 1) }
        #expect(waits == [.milliseconds(500), .seconds(1), .seconds(2), nil, nil])
    }

    @Test func jitterShortensAWaitByAtMostAHalf() {
        for jitter in [0, 0.25, 0.5, 1] {
            var schedule = ModelRetrySchedule()
            let wait = schedule.wait(retryAfter: nil, timeLeft: .seconds(100), jitter: jitter)
            #expect(wait == .milliseconds(500) * (0.5 + 0.5 * jitter))
        }
    }

    @Test func retryAfterIsKeptToUnlessItIsLongerThanTheBudget() {
        var schedule = ModelRetrySchedule()
        #expect(schedule.wait(retryAfter: .seconds(20), timeLeft: .seconds(100), jitter: 0) == .seconds(20))
        #expect(schedule.wait(retryAfter: .seconds(11), timeLeft: .seconds(100), jitter: 0) == nil)
        #expect(schedule.wait(retryAfter: .zero, timeLeft: .seconds(100), jitter: 0) == .milliseconds(500))
        var other = ModelRetrySchedule()
        #expect(other.wait(retryAfter: .seconds(31), timeLeft: .seconds(100), jitter: 0) == nil)
    }

    @Test func aWaitThatWouldUseUpTheTimeIsNotBegun() {
        var schedule = ModelRetrySchedule()
        #expect(schedule.wait(retryAfter: nil, timeLeft: .milliseconds(500), jitter: 1) == nil)
        #expect(schedule.wait(retryAfter: nil, timeLeft: .milliseconds(501), jitter: 1) == .milliseconds(500))
    }

    @Test(arguments: [
        ("0", Duration.zero), ("7", .seconds(7)), (" 7", .seconds(7)), ("999999999999999999999", .seconds(86_400)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", .seconds(37)), ("Sun, 06 Nov 1994 08:48:00 GMT", .zero),
        ("Sun, 06 Nov 1994 09:49:00 GMT", .seconds(3_600)), ("Thu, 29 Feb 2096 00:00:00 GMT", .seconds(86_400)),
    ])
    func retryAfterIsSecondsOrADate(value: String, wait: Duration) {
        // 784111740 is Sun, 06 Nov 1994 08:49:00 GMT: RFC 9110's own example, less 37 seconds.
        #expect(RetryAfter.duration(from: value, now: 784_111_740) == wait)
    }

    @Test(arguments: [
        (951_782_400, "Tue, 29 Feb 2000 00:00:01 GMT"), (951_868_799, "Wed, 01 Mar 2000 00:00:00 GMT"),
        (1_704_067_199, "Mon, 01 Jan 2024 00:00:00 GMT"), (1_709_251_199, "Fri, 01 Mar 2024 00:00:00 GMT"),
        (4_107_542_399, "Mon, 01 Mar 2100 00:00:00 GMT"), (-1, "Thu, 01 Jan 1970 00:00:00 GMT"),
    ])
    func theCalendarIsRightAtLeapDaysAndTurnsOfTheYear(secondBefore: Int, date: String) {
        #expect(RetryAfter.duration(from: date, now: secondBefore) == .seconds(1))
    }

    @Test(arguments: [
        "", "-1", "soon", "1.5", "Sun, 06 Nov 1994", "Sun, 32 Nov 1994 08:49:37 GMT", "06 Nov 1994 08:49:37 UTC",
    ])
    func anythingElseIsNoWish(value: String) {
        #expect(RetryAfter.duration(from: value, now: 0) == nil)
    }
}
