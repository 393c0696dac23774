import Foundation
import Shared
import Testing

@testable import ChatService

/// A holder that finishes while its lease runs out and others take over: whoever wins, one outcome.
@Suite("A takeover racing its holder")
struct TakeoverRaceTests {
    private static let rounds = 20
    private static let jobsOfARound = 500

    /// What the holder of a round does with its jobs, and how one answer looks afterwards.
    private enum Finish: CaseIterable {
        case complete, fail, release, checkpoint
    }

    /// 10,000 times: the first holder finishes, the sweep of another replica claims what has run out, and that one
    /// finishes what it got. In the end every question has one outcome, given by exactly one of the two.
    @Test func tenThousandJobsEndOnceEach() async throws {
        try await ChatFixture.with(isRelaxed: true) { fixture in
            for round in 0..<Self.rounds {
                try await race(fixture, Finish.allCases[round % Finish.allCases.count])
            }
            let counts = try await fixture.database.read(
                """
                select count(*) filter (where role = 'user'), count(*) filter (where role = 'assistant'),
                    count(*) filter (where role = 'user' and status = 'failed'),
                    count(*) filter (where status = 'processing'),
                    count(distinct reply_to) filter (where role = 'assistant')
                from chat.messages
                """)[0].decode(Int.self, Int.self, Int.self, Int.self, Int.self)
            let (questions, answers, failed, processing, answered) = counts
            #expect(questions == Self.rounds * Self.jobsOfARound)
            #expect(processing == 0)
            #expect(answers == answered, "a question has two answers")
            #expect(answers + failed == questions)
            #expect(try await fixture.count("jobs") == 0)
        }
    }

    private func race(_ fixture: ChatFixture, _ finish: Finish) async throws {
        let database = fixture.database
        try await fixture.fillQueue(jobs: Self.jobsOfARound, stage: finish == .checkpoint ? .recognize : .answer)
        let stage: JobStage = finish == .checkpoint ? .recognize : .answer
        let first = try await database.claimJobs(
            stage: stage, owner: UUID(), leaseSeconds: 86_400, limit: Self.jobsOfARound)
        #expect(first.count == Self.jobsOfARound)
        // Half of the leases are over from the beginning of the race, the others run out while it goes on.
        try await database.query(
            "update chat.jobs set lease_until = clock_timestamp() + (id % 2) * (id % 97) * interval '2 milliseconds'")
        async let holder = write(first.prefix(first.count / 2), finish, fixture)
        async let also = write(first.suffix(first.count / 2), finish, fixture)
        async let others = takeOver(stage, fixture)
        async let more = takeOver(stage, fixture)
        let (byHolder, byOthers) = try await (holder + also, others + more)
        #expect(byHolder + byOthers >= Self.jobsOfARound)
        // What the holder released or checkpointed, and what both had lost sight of, is finished here.
        var left = 0
        for stage in JobStage.allCases {
            while case let jobs = try await claimRanOut(stage, fixture), !jobs.isEmpty {
                left += jobs.count
                for job in jobs {
                    #expect(try await database.completeJob(job.fence, answer: "at last", usage: nil))
                }
            }
        }
        #expect(left < 2 * Self.jobsOfARound)
    }

    /// The first holder, who does not know that its lease is over. Returns how many writes were its own to make.
    private func write(_ jobs: ArraySlice<ClaimedJob>, _ finish: Finish, _ fixture: ChatFixture) async throws -> Int {
        let database = fixture.database
        var count = 0
        for job in jobs {
            let isHeld =
                switch finish {
                case .complete: try await database.completeJob(job.fence, answer: "first", usage: nil)
                case .fail: try await database.failJob(job.fence, with: .modelAway)
                case .release: try await database.releaseJob(job.fence, after: .zero, isSpared: true)
                case .checkpoint: try await database.storeRecognizedText("text", fence: job.fence)
                }
            count += isHeld ? 1 : 0
        }
        return count
    }

    /// Another replica: claims what has run out as long as there is any, and answers it.
    private func takeOver(_ stage: JobStage, _ fixture: ChatFixture) async throws -> Int {
        var count = 0
        while try await fixture.hasJobs(in: stage) {
            let jobs = try await claimRanOut(stage, fixture)
            for job in jobs {
                // Nobody else can have claimed it: the lease is young.
                #expect(try await fixture.database.completeJob(job.fence, answer: "second", usage: nil))
                count += 1
            }
        }
        return count
    }

    private func claimRanOut(_ stage: JobStage, _ fixture: ChatFixture) async throws -> [ClaimedJob] {
        try await fixture.database.claimJobs(stage: stage, owner: UUID(), leaseSeconds: 86_400, limit: 20)
    }
}

extension ChatFixture {
    func hasJobs(in stage: JobStage) async throws -> Bool {
        try await database.read("select exists (select from chat.jobs where stage = \(stage.rawValue))")[0]
            .decode(Bool.self)
    }
}
