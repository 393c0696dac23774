import Foundation
import HTTPTypes
import Shared
import TestSupport
import Testing

@testable import ChatService

/// The rows of idempotency keys: with the work or not at all.
@Suite("Idempotency keys in the database")
struct IdempotencyQueriesTests {
    private func mark(
        _ text: String = "key-1", _ call: IdempotentCall = .chat, _ fixture: ChatFixture
    ) throws -> IdempotencyMark {
        try #require(try IdempotencyMark([.idempotencyKey: text], call: call, userID: fixture.userID))
    }

    private func key(
        _ fixture: ChatFixture, _ text: String = "key-1", call: IdempotentCall = .chat, payload: String = "a"
    ) throws -> IdempotencyKey {
        try mark(text, call, fixture).key(for: PayloadFingerprint([Array(payload.utf8)]))
    }

    private func accept(_ fixture: ChatFixture, _ key: IdempotencyKey) async throws -> AcceptedQuestion? {
        try await fixture.database.acceptQuestion(fixture.question(), owner: UUID(), leaseSeconds: 86_400, key: key)
    }

    @Test func aQuestionAndItsKeyAreStoredTogetherAndASecondOneStoresNothing() async throws {
        try await ChatFixture.with { fixture in
            let key = try key(fixture)
            let question = try #require(try await accept(fixture, key)).job.questionID
            guard case .known(let known) = try await fixture.database.standing(of: key) else {
                Issue.record("the key is not known")
                return
            }
            #expect(known.questionID == question)
            #expect(known.status == nil)
            await #expect { try await accept(fixture, key) } throws: {
                ($0 as? PostgresError)?.isIdempotencyConflict == true
            }
            #expect(try await fixture.count("messages") == 1)
            #expect(try await fixture.count("jobs") == 1)
            let messages = try await fixture.database.conversation(fixture.conversationID, userID: fixture.userID)
            #expect(messages?.messagesCount == 1)
        }
    }

    @Test func ofFiftyAtOnceOneStoresAQuestion() async throws {
        try await ChatFixture.with { fixture in
            let key = try key(fixture)
            let accepted = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        do {
                            return try await accept(fixture, key) != nil
                        } catch let error as PostgresError where error.isIdempotencyConflict {
                            return false
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(accepted == 1)
            #expect(try await fixture.count("messages") == 1)
        }
    }

    @Test func aRefusedQuestionLeavesItsKeyFree() async throws {
        try await ChatFixture.with { fixture in
            let key = try key(fixture)
            let elsewhere = NewQuestion(
                conversationID: 987_654, userID: fixture.userID, content: "Why?", domain: nil, fileCount: 0)
            let accepted = try await fixture.database.acceptQuestion(
                elsewhere, owner: UUID(), leaseSeconds: 86_400, key: key)
            #expect(accepted == nil)
            #expect(try await fixture.database.isKnown(key.mark) == false)
        }
    }

    @Test func aKeyCountsForOneUserAndOneCall() async throws {
        try await ChatFixture.with { fixture in
            _ = try await accept(fixture, try key(fixture))
            for (call, userID) in [(IdempotentCall.chatFile, fixture.userID), (.chat, fixture.strangerID)] {
                let other = try #require(try IdempotencyMark([.idempotencyKey: "key-1"], call: call, userID: userID))
                #expect(try await fixture.database.isKnown(other) == false)
            }
        }
    }

    @Test func anotherPayloadIsAMistake() async throws {
        try await ChatFixture.with { fixture in
            _ = try await accept(fixture, try key(fixture))
            guard case .reused = try await fixture.database.standing(of: try key(fixture, payload: "b")) else {
                Issue.record("another payload counts as the same")
                return
            }
        }
    }

    @Test func aKeyPastItsDayIsUnusedAndGone() async throws {
        try await ChatFixture.with { fixture in
            let key = try key(fixture)
            _ = try await accept(fixture, key)
            try await fixture.database.query(
                "update chat.idempotency_keys set created_at = clock_timestamp() - interval '24 hours 1 second'")
            #expect(try await fixture.database.isKnown(key.mark) == false)
            guard case .unused = try await fixture.database.standing(of: key) else {
                Issue.record("the key is still known")
                return
            }
            #expect(try await accept(fixture, key) != nil, "the key can be used anew")
        }
    }

    @Test func theJanitorDeletesOldKeysInBatchesAndLeavesYoungOnes() async throws {
        try await ChatFixture.with { fixture in
            for number in 0..<5 {
                let key = try key(fixture, "old-\(number)", call: .conversations)
                try await fixture.database.insertKey(key, status: 422, body: [], conversationID: nil)
            }
            try await fixture.database.query(
                "update chat.idempotency_keys set created_at = clock_timestamp() - interval '25 hours'")
            let young = try key(fixture, "young", call: .conversations)
            try await fixture.database.insertKey(young, status: 422, body: [], conversationID: nil)
            var deleted: [Int] = []
            for _ in 0..<4 {
                deleted.append(try await fixture.database.deleteIdempotencyKeys(olderThanHours: 24, limit: 2))
            }
            #expect(deleted == [2, 2, 1, 0])
            #expect(try await fixture.database.isKnown(young.mark))
        }
    }

    @Test func aDeletedConversationTakesItsKeysAlong() async throws {
        try await ChatFixture.with { fixture in
            _ = try await accept(fixture, try key(fixture))
            try await fixture.database.insertKey(
                try key(fixture, "made", call: .conversations), status: 201, body: [0x7B, 0x7D],
                conversationID: fixture.conversationID)
            #expect(try await fixture.count("idempotency_keys") == 2)
            _ = try await fixture.database.deleteConversation(fixture.conversationID, userID: fixture.userID)
            #expect(try await fixture.count("idempotency_keys") == 0)
        }
    }

    @Test func whoHoldsAKeyKeepsOthersOutWithoutMakingThemWait() async throws {
        try await ChatFixture.with { fixture in
            let mark = try mark("key-1", .chatFile, fixture)
            struct Broken: Error {}
            await #expect(throws: Broken.self) {
                try await fixture.database.withTransaction { first in
                    try await first.lock(mark)
                    await #expect { try await fixture.database.withTransaction { try await $0.lock(mark) } } throws: {
                        ($0 as? Problem)?.code == .idempotencyInProgress
                    }
                    throw Broken()
                }
            }
            try await fixture.database.withTransaction { try await $0.lock(mark) }
        }
    }
}
