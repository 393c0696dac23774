import Foundation
import Shared
import Testing

@testable import ChatService

/// The queue alone, with jobs that do nothing; the figure itself is measured by `Tests/bench`.
@Suite("The rate of the queue", .serialized, .tags(.alone))
struct QueueRateTests {
    /// A claim must not become dearer with what waits behind it: time is compared with time on the same machine.
    @Test func twentyThousandWaitingJobsSlowAClaimByLessThanHalf() async throws {
        var ratios: [Double] = []
        // Other programs share the machine: the first of three rounds that is quick enough counts.
        while ratios.count < 3, ratios.allSatisfy({ $0 >= 3 }) {
            let short = try await secondsOfAJob(waiting: 1000)
            let long = try await secondsOfAJob(waiting: 20_000)
            print("queue alone: \(Int(1 / short)) jobs/s of 1,000, \(Int(1 / long)) jobs/s of 20,000")
            ratios.append(long / short)
        }
        #expect(ratios.contains { $0 < 3 }, "\(ratios)")
    }

    /// Eight workers claim one job at a time and end it.
    private func secondsOfAJob(waiting: Int) async throws -> Double {
        try await ChatFixture.with(isRelaxed: true) { fixture in
            try await fixture.fillQueue(jobs: waiting)
            let done = 800
            let start = ContinuousClock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<(done / 8) {
                            let job = try #require(try await fixture.claim(.recognize))
                            #expect(try await fixture.database.failJob(job.fence, with: .noTextFound))
                        }
                    }
                }
                try await group.waitForAll()
            }
            return start.duration(to: .now) / .seconds(done)
        }
    }
}
