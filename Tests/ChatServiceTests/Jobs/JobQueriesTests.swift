import Foundation
import Shared
import Testing

@testable import ChatService

@Suite struct JobQueriesTests {
    private let failure = JobFailure(code: "llm_failed", detail: "It failed.", isRetryable: true)

    @Test func aPlainQuestionIsClaimedByItsOwnReplicaAndNobodyElse() async throws {
        try await ChatFixture.with { fixture in
            let accepted = try await fixture.accept()
            #expect(accepted.job.fence.attempt == 1)
            #expect(try await fixture.claim(.answer) == nil)
            #expect(try await fixture.status(of: accepted.job.questionID) == "processing")
        }
    }

    @Test func completingStoresTheAnswerUnderItsIdAndEndsTheJob() async throws {
        try await ChatFixture.with { fixture in
            let job = try await fixture.accept().job
            #expect(try await fixture.database.completeJob(job.fence, answer: "Because.", usage: #"{"model":"m"}"#))
            let answer = try await fixture.database.storedAnswer(job.answerID)
            #expect(answer?.text == "Because.")
            #expect(answer?.usage == #"{"model":"m"}"#)
            #expect(try await fixture.status(of: job.questionID) == "completed")
            #expect(try await fixture.count("jobs") == 0)
            let conversation = try await fixture.database.conversation(
                fixture.conversationID, userID: fixture.userID)
            #expect(conversation?.messagesCount == 2)
        }
    }

    @Test func aJobWhoseLeaseRanOutIsTakenOverAndItsStaleHolderMayWriteNothing() async throws {
        try await ChatFixture.with { fixture in
            let stale = try await fixture.accept().job
            try await fixture.expireLeases()
            let taken = try #require(try await fixture.claim(.answer))
            #expect(taken.fence == JobFence(jobID: stale.fence.jobID, attempt: 2))

            let database = fixture.database
            #expect(try await database.completeJob(stale.fence, answer: "late", usage: nil) == false)
            #expect(try await database.failJob(stale.fence, with: failure) == false)
            #expect(try await database.renewLeases(of: [stale.fence], leaseSeconds: 30).isEmpty)
            try await database.releaseJob(stale.fence, after: .zero, isSpared: true)
            #expect(try await fixture.claim(.answer) == nil, "a stale holder released the job")

            #expect(try await database.completeJob(taken.fence, answer: "first", usage: nil))
            #expect(try await database.storedAnswer(taken.answerID)?.text == "first")
            #expect(try await fixture.count("messages") == 2)
        }
    }

    @Test func aRenewedLeaseKeepsTheJob() async throws {
        try await ChatFixture.with { fixture in
            let job = try await fixture.accept(leaseSeconds: 3).job
            #expect(try await fixture.database.renewLeases(of: [job.fence], leaseSeconds: 3600) == [job.fence])
            let seconds = try await fixture.database.read(
                "select extract(epoch from lease_until - clock_timestamp())::float8 from chat.jobs"
            )[0].decode(Double.self)
            #expect((3000...3600).contains(seconds))
        }
    }

    @Test func aReleasedJobIsClaimedAgainAndASparedClaimIsNoTry() async throws {
        try await ChatFixture.with { fixture in
            let first = try await fixture.accept().job
            try await fixture.database.releaseJob(first.fence, after: .zero, isSpared: true)
            let second = try #require(try await fixture.claim(.answer))
            #expect(second.fence.attempt == 2)
            #expect(second.tries == 1)
            try await fixture.database.releaseJob(second.fence, after: .zero, isSpared: false)
            #expect(try await fixture.claim(.answer)?.tries == 2)
        }
    }

    @Test func aJobPutOffIsNotClaimedBeforeItsTime() async throws {
        try await ChatFixture.with { fixture in
            let job = try await fixture.accept().job
            try await fixture.database.releaseJob(job.fence, after: .seconds(60), isSpared: true)
            #expect(try await fixture.claim(.answer) == nil)
        }
    }

    @Test func ofManyClaimsAtOnceEachJobIsGivenOnce() async throws {
        try await ChatFixture.with { fixture in
            for _ in 0..<20 { _ = try await fixture.acceptFile() }
            let claimed = try await withThrowingTaskGroup(of: [ClaimedJob].self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        try await fixture.database.claimJobs(
                            stage: .recognize, owner: UUID(), leaseSeconds: 86_400, limit: 3)
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.count == 20)
            #expect(Set(claimed.map(\.fence.jobID)).count == 20)
        }
    }

    @Test func aFailedMessageSaysWhyAndItsBytesAreGone() async throws {
        try await ChatFixture.with { fixture in
            let (questionID, _) = try await fixture.acceptFile()
            let job = try #require(try await fixture.claim(.recognize))
            #expect(try await fixture.database.failJob(job.fence, with: .encryptedFile))
            #expect(try await fixture.status(of: questionID) == "failed")
            #expect(try await fixture.database.questionStanding(questionID)?.failure?.code == "encrypted_file")
            #expect(try await fixture.count("upload_chunks") == 0)
            #expect(try await fixture.count("jobs") == 0)
        }
    }

    @Test func theDatabaseItselfRefusesASecondAnswer() async throws {
        try await ChatFixture.with { fixture in
            let job = try await fixture.accept().job
            _ = try await fixture.database.completeJob(job.fence, answer: "one", usage: nil)
            await #expect {
                try await fixture.database.query(
                    """
                    insert into chat.messages (conversation_id, role, status, content, reply_to)
                    values (\(fixture.conversationID), 'assistant', 'completed', 'two', \(job.questionID))
                    """)
            } throws: {
                ($0 as? PostgresError)?.violatedConstraint == "messages_one_answer"
            }
        }
    }

    @Test func jobsAreCountedByStageStateAndUser() async throws {
        try await ChatFixture.with { fixture in
            _ = try await fixture.accept()
            _ = try await fixture.acceptFile()
            let counts = try await fixture.database.countJobs()
            #expect(counts.contains { $0 == ("answer", "running", 1) })
            #expect(counts.contains { $0 == ("recognize", "waiting", 1) })
            #expect(try await fixture.database.countUnfinishedJobs(userID: fixture.userID) == (2, 2))
            #expect(try await fixture.database.countUnfinishedJobs(userID: fixture.strangerID) == (2, 0))
        }
    }

    @Test func deletingAConversationTakesItsWorkWithIt() async throws {
        try await ChatFixture.with { fixture in
            let job = try await fixture.accept().job
            _ = try await fixture.acceptFile()
            #expect(try await fixture.database.deleteConversation(fixture.conversationID, userID: fixture.userID))
            for table in ["messages", "jobs", "files", "upload_chunks"] {
                #expect(try await fixture.count(table) == 0, "\(table)")
            }
            #expect(try await fixture.database.completeJob(job.fence, answer: "late", usage: nil) == false)
        }
    }
}
