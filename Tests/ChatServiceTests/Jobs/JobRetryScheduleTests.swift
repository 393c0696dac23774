import Testing

@testable import ChatService

@Suite struct JobRetryScheduleTests {
    private func decide(
        _ kind: LanguageModelFailure.Kind, tries: Int = 1, claims: Int = 1, age: Duration = .zero,
        retryAfter: Duration? = nil, jitter: Double = 1
    ) -> JobRetrySchedule.Decision {
        JobRetrySchedule.decide(
            kind: kind, tries: tries, claims: claims, age: age, retryAfter: retryAfter, jitter: jitter)
    }

    @Test func anAbsentModelCostsNoTry() {
        #expect(decide(.unavailable, tries: 3) == .again(after: .seconds(1), isSpared: true))
    }

    @Test func aFailingModelCostsATryAndTheThirdIsTheLast() {
        #expect(decide(.failed, tries: 2) == .again(after: .seconds(1), isSpared: false))
        #expect(decide(.failed, tries: 3) == .fail)
        #expect(decide(.timedOut, tries: 3) == .fail)
    }

    @Test func pausesGrowTwofoldUpToAMinute() {
        let pauses = (1...12).map { decide(.unavailable, claims: $0) }
        let seconds: [Double] = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]
        #expect(pauses == seconds.map { .again(after: .seconds($0), isSpared: true) })
    }

    @Test func jitterAtMostHalvesThePause() {
        #expect(decide(.unavailable, claims: 3, jitter: 0) == .again(after: .seconds(2), isSpared: true))
    }

    @Test func whatTheServerAskedForIsObeyedUpToTenMinutes() {
        #expect(decide(.unavailable, retryAfter: .seconds(90)) == .again(after: .seconds(90), isSpared: true))
        #expect(decide(.unavailable, retryAfter: .seconds(9000)) == .again(after: .seconds(600), isSpared: true))
    }

    @Test func patienceEndsADayAfterTheUpload() {
        #expect(decide(.unavailable, age: .seconds(86_000)) == .again(after: .seconds(1), isSpared: true))
        #expect(decide(.unavailable, age: .seconds(86_399.5)) == .fail)
    }
}
