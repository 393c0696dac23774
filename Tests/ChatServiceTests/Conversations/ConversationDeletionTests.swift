import Shared
import TestSupport
import Testing

@testable import ChatService

@Suite("Deleting a conversation")
struct ConversationDeletionTests {
    /// A holder locks its job and then the conversation, the deletion the conversation and then its jobs.
    @Test(.timeLimit(.minutes(5)))
    func isDoneAlsoAfterADeadlockWithAHolderThatWrites() async throws {
        // The deletion looks for a deadlock first, and not before there is one.
        try await ChatFixture.with(deadlockTimeout: "5s") { fixture in
            let job = try await fixture.accept().job
            try await fixture.database.deadlock(
                first: "update chat.jobs set spared = 1 where id = \(job.fence.jobID)",
                second: "update chat.conversations set changes = changes + 1 where id = \(fixture.conversationID)"
            ) {
                let id = fixture.conversationID
                let isDeleted = try await fixture.database.deleteConversation(id, userID: fixture.userID)
                #expect(isDeleted)
            }
            #expect(try await fixture.count("conversations") == 0)
            #expect(try await fixture.count("jobs") == 0)
        }
    }

    /// The user's end takes the conversations along, and no statement of this service.
    @Test(.timeLimit(.minutes(5)), arguments: [true, false])
    func tellsTheHoldersOfItsJobs(isOfTheUser: Bool) async throws {
        try await ChatFixture.with { fixture in
            let jobs = [try await fixture.accept().job.fence.jobID, try await fixture.accept().job.fence.jobID]
            var stopped: Set<Int> = []
            for await event in fixture.database.listen(to: ["chat_job_stopped"]) {
                switch event {
                case .listening where isOfTheUser:
                    try await fixture.database.query("delete from auth.users where id = \(fixture.userID)")
                case .listening:
                    _ = try await fixture.database.deleteConversation(fixture.conversationID, userID: fixture.userID)
                case .notification(_, let payload): stopped.insert(try #require(Int(payload)))
                }
                if stopped.count == jobs.count { break }
            }
            #expect(stopped == Set(jobs))
        }
    }
}
