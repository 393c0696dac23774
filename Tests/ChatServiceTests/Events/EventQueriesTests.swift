import Foundation
import Shared
import TestSupport
import Testing

@testable import ChatService

@Suite("What readers of events find in the rows")
struct EventQueriesTests {
    /// Two changes of one conversation: the one that began first commits last. Its number is the greater one, because
    /// numbers are given under a lock that is held until the commit; a reader in between misses nothing.
    @Test func numbersFollowTheOrderOfTheCommits() async throws {
        try await ChatFixture.with { fixture in
            let early = try await fixture.accept("early").job
            let late = try await fixture.accept("late").job
            let start = try await changes(fixture, after: 0)
            var between = start
            // Before the number is taken, the first transaction is older than the other one.
            try await fixture.database.holding(
                { try await $0.query("select pg_current_xact_id()") },
                then: { _ = try await $0.completeJob(early.fence, answer: "committed last", usage: nil) }
            ) { release in
                _ = try await fixture.database.completeJob(late.fence, answer: "committed first", usage: nil)
                between = try await changes(fixture, after: start.last)
                release()
            }
            let after = try await changes(fixture, after: between.last)
            #expect(between.messages.map(\.id) == [late.answerID, late.questionID])
            #expect(after.messages.map(\.id) == [early.answerID, early.questionID])
            #expect(between.messages.map(\.change) == [start.last + 1, start.last + 2])
            #expect(after.messages.map(\.change) == [start.last + 3, start.last + 4])
        }
    }

    @Test func aBeginningIsBoundedInBytesAndTheRestComesWithTheChanges() async throws {
        try await ChatFixture.with { fixture in
            for number in 0..<3 { _ = try await fixture.accept("question \(number)") }
            // Two of them reach the bound of a batch.
            try await fixture.database.query("update chat.messages set content = repeat('x', 200000)")
            let begun = try #require(
                try await ConversationTail.begin(
                    fixture.database, conversationID: fixture.conversationID, userID: fixture.userID, cursor: nil))
            #expect(messages(in: begun) == 2 && begun.due == [.changes, .deltas])
            let rest = try #require(try await begun.tail.next([.changes, .deltas]))
            #expect(messages(in: rest) == 1 && rest.due.isEmpty)
            let nothing = try #require(try await rest.tail.next([.changes, .deltas]))
            #expect(nothing.events.readableBytes == 0 && nothing.due.isEmpty)
        }
    }

    @Test func aBeginningThatToldAllWantsNoFurtherRead() async throws {
        try await ChatFixture.with { fixture in
            let begin: (EventCursor?) async throws -> ConversationTail.Batch? = { cursor in
                try await ConversationTail.begin(
                    fixture.database, conversationID: fixture.conversationID, userID: fixture.userID, cursor: cursor)
            }
            #expect(try await begin(nil)?.due == [])
            #expect(try await begin(EventCursor("0"))?.due == [.changes, .deltas])
            _ = try await fixture.accept()
            let answering = try #require(try await begin(nil))
            #expect(messages(in: answering) == 1 && answering.due == .deltas)
        }
    }

    private func messages(in batch: ConversationTail.Batch) -> Int {
        String(buffer: batch.events).split(separator: "\n").count { $0 == "event: message" }
    }

    /// A transaction that has its number and does not commit makes the next one wait: no number becomes visible before
    /// a smaller one.
    @Test func aLaterNumberIsNotVisibleBeforeAnEarlierOne() async throws {
        try await ChatFixture.with { fixture in
            let first = try await fixture.accept("first").job
            let second = try await fixture.accept("second").job
            let start = try await changes(fixture, after: 0).last
            try await fixture.database.holding({
                _ = try await $0.completeJob(first.fence, answer: "slow", usage: nil)
            }) { release in
                async let quick = fixture.database.completeJob(second.fence, answer: "quick", usage: nil)
                try await fixture.database.waitForALock()
                #expect(try await changes(fixture, after: start).messages.isEmpty)
                release()
                #expect(try await quick)
            }
            let after = try await changes(fixture, after: start)
            #expect(after.messages.map(\.id) == [first.answerID, first.questionID, second.answerID, second.questionID])
            #expect(after.last == start + 4)
        }
    }

    @Test func changesComeInBoundedBatchesWithoutGap() async throws {
        try await ChatFixture.with { fixture in
            for number in 0..<120 { _ = try await fixture.accept("question \(number)") }
            var seen: [Int] = []
            var position = 0
            var batches = 0
            while true {
                let batch = try await changes(fixture, after: position)
                seen += batch.messages.map(\.change)
                position = batch.messages.last?.change ?? position
                batches += 1
                if batch.isWhole { break }
            }
            #expect(seen == Array(1...120))
            #expect(batches == 3)
            try await fixture.database.query("update chat.messages set content = repeat('x', 200000)")
            #expect(try await changes(fixture, after: 0).messages.count == 2)
        }
    }

    @Test func aStrangerSeesNothing() async throws {
        try await ChatFixture.with { fixture in
            _ = try await fixture.accept()
            let id = fixture.conversationID
            #expect(try await fixture.database.changes(ofConversation: id, userID: fixture.strangerID, after: 0) == nil)
            #expect(try await fixture.database.openMessages(ofConversation: id, userID: fixture.strangerID) == nil)
        }
    }

    @Test func piecesOfAnswersAreReadFromWhereOneIs() async throws {
        try await ChatFixture.with { fixture in
            let one = try await fixture.accept("one").job
            let two = try await fixture.accept("two").job
            for position in 0..<3 {
                let held = try await fixture.database.insertDeltas([piece(one, position), piece(two, position)])
                #expect(held == [one.fence.jobID, two.fence.jobID])
            }
            let all = try await deltas(fixture, after: [])
            #expect(all.map(\.messageID) == [one, one, one, two, two, two].map(\.answerID))
            let ofFirst = DeltaPosition(messageID: one.answerID, attempt: 1, position: 2)
            #expect(try await deltas(fixture, after: [ofFirst]) == [all[2], all[3], all[4], all[5]])
            let ofSecond = DeltaPosition(messageID: two.answerID, attempt: 1, position: 3)
            #expect(try await deltas(fixture, after: [ofFirst, ofSecond]) == [all[2]])
            #expect(try await deltas(fixture, after: [ofSecond]) == Array(all[0...2]))
        }
    }

    @Test func aStaleHolderWritesNoPieces() async throws {
        try await ChatFixture.with { fixture in
            let stale = try await fixture.accept().job
            _ = try await fixture.database.insertDeltas([piece(stale, 0), piece(stale, 1)])
            try await fixture.expireLeases()
            let current = try #require(try await fixture.claim(.answer))
            #expect(try await fixture.database.insertDeltas([piece(stale, 2)]) == [])
            #expect(try await deltas(fixture, after: []).count == 2)
            _ = try await fixture.database.insertDeltas([piece(current, 0)])
            #expect(try await deltas(fixture, after: []).map(\.attempt) == [2], "a new attempt takes the old one away")
        }
    }

    @Test func piecesGoWithTheJob() async throws {
        try await ChatFixture.with { fixture in
            let done = try await fixture.accept().job
            let failed = try await fixture.accept().job
            let gone = try await fixture.accept().job
            _ = try await fixture.database.insertDeltas([done, failed, gone].map { piece($0, 0) })
            _ = try await fixture.database.completeJob(done.fence, answer: "x", usage: nil)
            _ = try await fixture.database.failJob(
                failed.fence, with: JobFailure(code: "llm_failed", detail: "It failed.", isRetryable: true))
            #expect(try await deltas(fixture, after: []).map(\.messageID) == [gone.answerID])
            try await fixture.database.query("delete from chat.jobs where id = \(gone.fence.jobID)")
            #expect(try await fixture.database.deleteAbandonedDeltas() == 1)
        }
    }

    @Test func cancellingWhileAnsweringKeepsWhatWasWrittenAsOneAnswer() async throws {
        try await ChatFixture.with { fixture in
            let job = try await fixture.accept().job
            _ = try await fixture.database.insertDeltas([piece(job, 0), piece(job, 1)])
            _ = try await fixture.cancel(job.questionID)
            #expect(try await answer(fixture, job.answerID) == ["cancelled", "xx"])
            #expect(try await usage(fixture, job.answerID) == #"{"question":"Why?","length":2}"#)
            #expect(try await fixture.count("deltas") == 0)
            // A retry fills in the same answer, and a second cancel leaves it at what was said last.
            _ = try await fixture.database.retryMessage(job.questionID, userID: fixture.userID)
            let again = try #require(try await fixture.claim(.answer))
            #expect(again.answerID == job.answerID)
            _ = try await fixture.database.insertDeltas([piece(again, 0)])
            _ = try await fixture.cancel(job.questionID)
            #expect(try await answer(fixture, job.answerID) == ["cancelled", "x"])
            #expect(try await usage(fixture, job.answerID) == #"{"question":"Why?","length":1}"#)
            _ = try await fixture.database.retryMessage(job.questionID, userID: fixture.userID)
            let last = try #require(try await fixture.claim(.answer))
            #expect(try await fixture.database.completeJob(last.fence, answer: "whole", usage: nil))
            #expect(try await answer(fixture, job.answerID) == ["completed", "whole"])
            #expect(try await fixture.count("messages") == 2)
            let conversation = try await fixture.database.conversation(fixture.conversationID, userID: fixture.userID)
            #expect(conversation?.messagesCount == 2)
        }
    }

    @Test func aCancelledAnswerCanBeRegeneratedAndTheQuestionIsThenAnswered() async throws {
        try await ChatFixture.with { fixture in
            let job = try await fixture.accept().job
            _ = try await fixture.database.insertDeltas([piece(job, 0)])
            _ = try await fixture.cancel(job.questionID)
            _ = try await fixture.database.regenerateMessage(job.answerID, userID: fixture.userID)
            let again = try #require(try await fixture.claim(.answer))
            _ = try await fixture.database.insertDeltas([piece(again, 0), piece(again, 1)])
            _ = try await fixture.cancel(again.answerID)
            #expect(try await answer(fixture, again.answerID) == ["cancelled", "xx"])
            #expect(try await usage(fixture, again.answerID) == #"{"question":"Why?","length":2}"#)
            _ = try await fixture.database.regenerateMessage(job.answerID, userID: fixture.userID)
            let last = try #require(try await fixture.claim(.answer))
            #expect(try await fixture.database.completeJob(last.fence, answer: "third", usage: nil))
            #expect(try await fixture.status(of: job.questionID) == "completed")
            #expect(try await answer(fixture, job.answerID) == ["cancelled", "x"])
        }
    }

    private func piece(_ job: ClaimedJob, _ position: Int) -> DeltaPiece {
        DeltaPiece(fence: job.fence, conversationID: job.conversationID, position: position, text: "x")
    }

    private func changes(_ fixture: ChatFixture, after change: Int) async throws -> ConversationChanges {
        try #require(
            try await fixture.database.changes(
                ofConversation: fixture.conversationID, userID: fixture.userID, after: change))
    }

    private func deltas(_ fixture: ChatFixture, after positions: [DeltaPosition]) async throws -> [DeltaRow] {
        try await fixture.database.deltas(ofConversation: fixture.conversationID, after: positions, limit: 100)
    }

    private func usage(_ fixture: ChatFixture, _ id: Int) async throws -> String? {
        try await fixture.database.value("select usage::text from chat.messages where id = \(id)")
    }

    private func answer(_ fixture: ChatFixture, _ id: Int) async throws -> [String] {
        let row = try await fixture.database.read("select status, content from chat.messages where id = \(id)")[0]
        let (status, content) = try row.decode(String.self, String.self)
        return [status, content]
    }
}
