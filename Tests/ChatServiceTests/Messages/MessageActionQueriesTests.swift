import Shared
import Testing

@testable import ChatService

@Suite struct MessageActionQueriesTests {
    private let failure = JobFailure(code: "llm_failed", detail: "It failed.", isRetryable: true)

    @Test func cancellingTakesTheJobAwayAndItsHolderMayWriteNothing() async throws {
        try await ChatFixture.with { fixture in
            let job = try await fixture.accept().job
            guard
                case .done(job.questionID, job.fence.jobID, _) = try await fixture.cancel(job.questionID)
            else {
                Issue.record("not cancelled")
                return
            }
            #expect(try await fixture.status(of: job.questionID) == "cancelled")
            #expect(try await fixture.database.completeJob(job.fence, answer: "late", usage: nil) == false)
            guard case .refused = try await fixture.cancel(job.questionID)
            else {
                Issue.record("cancelled twice")
                return
            }
        }
    }

    /// A cancel locks the job and then the conversation, a deletion of either the other way round.
    @Test(.timeLimit(.minutes(5)))
    func cancellingIsDoneAlsoAfterADeadlock() async throws {
        try await ChatFixture.with(deadlockTimeout: "5s") { fixture in
            let job = try await fixture.accept().job
            try await fixture.database.deadlock(
                first: "update chat.conversations set changes = changes + 1 where id = \(fixture.conversationID)",
                second: "update chat.jobs set spared = 1 where id = \(job.fence.jobID)"
            ) {
                guard case .done = try await fixture.cancel(job.questionID) else {
                    Issue.record("not cancelled")
                    return
                }
            }
            #expect(try await fixture.status(of: job.questionID) == "cancelled")
            #expect(try await fixture.count("jobs") == 0)
        }
    }

    @Test func nobodyElseCanCancelRetryOrRegenerate() async throws {
        try await ChatFixture.with { fixture in
            let job = try await fixture.accept().job
            let id = job.questionID
            for outcome in [
                try await fixture.cancel(id, userID: fixture.strangerID),
                try await fixture.database.retryMessage(id, userID: fixture.strangerID),
                try await fixture.database.regenerateMessage(id, userID: fixture.strangerID),
            ] {
                guard case .absent = outcome else {
                    Issue.record("a stranger acted: \(outcome)")
                    return
                }
            }
            #expect(try await fixture.status(of: id) == "processing")
        }
    }

    @Test func aFailedQuestionIsRetriedAtTheAnswerAndGetsOneAnswer() async throws {
        try await ChatFixture.with { fixture in
            let first = try await fixture.accept().job
            _ = try await fixture.database.failJob(first.fence, with: failure)
            guard case .done = try await fixture.database.retryMessage(first.questionID, userID: fixture.userID) else {
                Issue.record("not retried")
                return
            }
            guard case .refused = try await fixture.database.retryMessage(first.questionID, userID: fixture.userID)
            else {
                Issue.record("retried twice")
                return
            }
            let second = try #require(try await fixture.claim(.answer))
            #expect(second.fence.jobID != first.fence.jobID)
            #expect(try await fixture.database.completeJob(second.fence, answer: "now", usage: nil))
            #expect(try await fixture.status(of: first.questionID) == "completed")
            #expect(try await fixture.count("messages") == 2)
        }
    }

    @Test func aCancelledUploadIsRetriedAtTheRecognitionAndKeepsItsPages() async throws {
        try await ChatFixture.with { fixture in
            let (questionID, fileID) = try await fixture.acceptFile()
            let job = try #require(try await fixture.claim(.recognize))
            _ = try await fixture.database.storePage(1, text: "one", ofFile: fileID, fence: job.fence)
            _ = try await fixture.cancel(questionID)
            _ = try await fixture.database.retryMessage(questionID, userID: fixture.userID)
            #expect(try await fixture.claim(.recognize)?.questionID == questionID)
            #expect(try await fixture.database.pages(ofMessage: questionID).map(\.number) == [1])
        }
    }

    @Test func aRegeneratedAnswerIsANewMessageBesideTheOldOne() async throws {
        try await ChatFixture.with { fixture in
            let job = try await fixture.accept().job
            _ = try await fixture.database.completeJob(job.fence, answer: "old", usage: nil)
            guard
                case .done(let newID, _, _) = try await fixture.database.regenerateMessage(
                    job.answerID, userID: fixture.userID)
            else {
                Issue.record("not regenerated")
                return
            }
            #expect(try await fixture.status(of: newID) == "processing")
            let again = try #require(try await fixture.claim(.answer))
            #expect(again.answerID == newID)
            #expect(try await fixture.database.completeJob(again.fence, answer: "new", usage: nil))
            #expect(try await fixture.database.storedAnswer(newID)?.text == "new")
            #expect(try await fixture.database.storedAnswer(job.answerID)?.text == "old")
            #expect(try await fixture.status(of: job.questionID) == "completed")
            let conversation = try await fixture.database.conversation(
                fixture.conversationID, userID: fixture.userID)
            #expect(conversation?.messagesCount == 3)
        }
    }

    @Test func aQuestionCannotBeRegeneratedNorAnAnswerRetried() async throws {
        try await ChatFixture.with { fixture in
            let job = try await fixture.accept().job
            _ = try await fixture.database.completeJob(job.fence, answer: "x", usage: nil)
            for outcome in [
                try await fixture.database.regenerateMessage(job.questionID, userID: fixture.userID),
                try await fixture.database.retryMessage(job.answerID, userID: fixture.userID),
                try await fixture.database.retryMessage(job.questionID, userID: fixture.userID),
            ] {
                guard case .refused = outcome else {
                    Issue.record("not refused: \(outcome)")
                    return
                }
            }
        }
    }
}
