import Testing

@testable import ChatService

@Suite("The breaker before the model")
struct ModelBreakerTests {
    private let start = ContinuousClock.now
    private var full: Double { 1 }

    private func opened(at time: ContinuousClock.Instant) -> ModelBreaker {
        var breaker = ModelBreaker()
        for _ in 0..<ModelBreaker.failuresMax {
            _ = breaker.admit(now: time)
            breaker.failed(isProbe: false, retryAfter: nil, now: time, jitter: full)
        }
        return breaker
    }

    @Test func itOpensAfterFiveFailuresInARowAndNotBefore() {
        var breaker = ModelBreaker()
        for _ in 0..<4 { breaker.failed(isProbe: false, retryAfter: nil, now: start, jitter: full) }
        breaker.reached(isProbe: false)
        for _ in 0..<4 { breaker.failed(isProbe: false, retryAfter: nil, now: start, jitter: full) }
        #expect(breaker.admit(now: start) == .granted(isProbe: false))
        breaker.failed(isProbe: false, retryAfter: nil, now: start, jitter: full)
        #expect(breaker.admit(now: start) == .refused(for: .seconds(1)))
        #expect(breaker.pauseLeft(now: start + .milliseconds(400)) == .milliseconds(600))
    }

    @Test func afterThePauseOneCallPassesAndTheOthersWaitForItsEnd() {
        var breaker = opened(at: start)
        let later = start + .seconds(1)
        #expect(breaker.admit(now: later) == .granted(isProbe: true))
        #expect(breaker.admit(now: later) == .refused(for: ModelBreaker.pauseMin))
        breaker.reached(isProbe: true)
        #expect(breaker.state == .closed)
        #expect(breaker.admit(now: later) == .granted(isProbe: false))
    }

    @Test func aProbeThatWasCancelledLetsTheNextOneThrough() {
        var breaker = opened(at: start)
        _ = breaker.admit(now: start + .seconds(1))
        breaker.abandoned(isProbe: true)
        #expect(breaker.admit(now: start + .seconds(1)) == .granted(isProbe: true))
    }

    @Test func pausesDoubleUpToAMinuteWhileProbesFailAndBeginAnewAfterASuccess() {
        var breaker = opened(at: start)
        var now = start
        var pauses: [Duration] = []
        for _ in 0..<8 {
            pauses.append(breaker.pauseLeft(now: now))
            now += breaker.pauseLeft(now: now)
            #expect(breaker.admit(now: now) == .granted(isProbe: true))
            breaker.failed(isProbe: true, retryAfter: nil, now: now, jitter: full)
        }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60].map { .seconds($0) })
        now += breaker.pauseLeft(now: now)
        _ = breaker.admit(now: now)
        breaker.reached(isProbe: true)
        for _ in 0..<5 { breaker.failed(isProbe: false, retryAfter: nil, now: now, jitter: 0) }
        #expect(breaker.pauseLeft(now: now) == .milliseconds(500), "jitter takes at most a half")
    }

    @Test func oneRetryAfterClosesTheDoorForAllUpToTenMinutes() {
        var breaker = ModelBreaker()
        breaker.failed(isProbe: false, retryAfter: .seconds(30), now: start, jitter: full)
        #expect(breaker.admit(now: start + .seconds(10)) == .refused(for: .seconds(20)))
        breaker.failed(isProbe: false, retryAfter: .seconds(5), now: start + .seconds(1), jitter: full)
        #expect(breaker.pauseLeft(now: start) == .seconds(30), "a shorter wish shortens nothing")
        breaker.failed(isProbe: false, retryAfter: .seconds(9000), now: start + .seconds(1), jitter: full)
        #expect(breaker.pauseLeft(now: start) == .seconds(601))
        var idle = ModelBreaker()
        idle.failed(isProbe: false, retryAfter: .zero, now: start, jitter: full)
        #expect(idle.state == .closed)
    }

    @Test func whatWasAskedBeforeItOpenedChangesNothing() {
        var breaker = opened(at: start)
        breaker.reached(isProbe: false)
        breaker.answered()
        breaker.failed(isProbe: false, retryAfter: nil, now: start, jitter: full)
        breaker.abandoned(isProbe: false)
        #expect(breaker.state == .open(until: start + .seconds(1)))
    }

    @Test func queuedWorkComesBackStepByStep() {
        var breaker = opened(at: start)
        #expect(breaker.queuedCallsMax(now: start) == 0)
        let later = start + .seconds(1)
        #expect(breaker.queuedCallsMax(now: later) == 1, "one may be the probe")
        _ = breaker.admit(now: later)
        breaker.reached(isProbe: true)
        var bounds = [breaker.queuedCallsMax(now: later)]
        while let last = bounds.last, last != .max, bounds.count < 20 {
            breaker.answered()
            bounds.append(breaker.queuedCallsMax(now: later))
        }
        #expect(bounds == [1, 2, 4, 8, 16, 32, .max])
    }
}
