import Foundation
import Shared
import TestSupport
import Testing

@testable import ChatService

@Suite("Readers of events")
struct EventHubTests {
    private static let identity = AccessIdentity(
        userID: 1, email: "ann@example.com", sessionID: UUID(), tokenID: "t", issuedAt: 0, expiresAt: .max)

    /// The poll of a hub whose notifications are lost.
    @Test func aChangeThatRangNoBellIsFoundByThePoll() async throws {
        try await withHub { fixture, hub in
            try await withReader(hub, fixture) { reader in
                reader.hasReached(try await standing(fixture).changes)
                let job = try await fixture.accept().job
                #expect(await reader.next().contains(.changes))
                reader.hasReached(try await standing(fixture).changes)

                // What comes first may be from a look at the rows as they were before.
                try await fixture.database.query(
                    """
                    insert into chat.deltas (conversation_id, message_id, attempt, position, question_id, text, job_id)
                    select conversation_id, \(job.answerID), 1, 0, \(job.questionID), 'On', id
                    from chat.jobs where subject_id = \(job.questionID)
                    """)
                while await !reader.next().contains(.deltas) {}
            }
        }
    }

    @Test func readersOfADeletedConversationAreWoken() async throws {
        try await withHub { fixture, hub in
            try await withReader(hub, fixture) { reader in
                reader.hasReached(try await standing(fixture).changes)
                try await fixture.database.query("delete from chat.conversations where id = \(fixture.conversationID)")
                #expect(await reader.next().contains(.changes))
            }
        }
    }

    @Test func aReaderThatIsWhereTheRowsAreIsLeftAlone() async {
        let reader = EventReader(conversationID: 1, identity: Self.identity, place: EventPlace())
        // Until the stream has begun there is nothing to compare.
        reader.compare(with: EventStanding(changes: 7, hasDeltas: true))
        reader.hasReached(7)
        reader.compare(with: EventStanding(changes: 7, hasDeltas: false))
        reader.signal(.ping)
        #expect(await reader.next() == .ping)

        reader.compare(with: EventStanding(changes: 8, hasDeltas: false))
        #expect(await reader.next() == .changes)
        reader.compare(with: EventStanding(changes: 7, hasDeltas: true))
        #expect(await reader.next() == .deltas)
    }

    @Test func aReaderThatWasToldNothingForFifteenTicksIsPinged() async {
        let reader = EventReader(conversationID: 1, identity: Self.identity, place: EventPlace())
        for round in 1...2 {
            for _ in 1...14 { reader.tick(now: 0, revoked: RevokedSessions()) }
            if round == 1 { reader.wasTold() }
        }
        // Only the fifteenth after the last word says something, so this is the first signal.
        reader.signal(.changes)
        #expect(await reader.next() == .changes)
        reader.tick(now: 0, revoked: RevokedSessions())
        #expect(await reader.next() == .ping)
    }

    @Test func aPlaceThatNobodyHoldsIsFreeAgain() async throws {
        try await ChatFixture.with { fixture in
            let frame = HTTPFrame(name: "test", settings: HTTPSettings())
            let hub = EventHub(
                database: fixture.database, revoked: RevokedSessions(), drain: frame.drain, logger: .quiet)
            for _ in 1...2 {
                var places: [EventPlace] = []
                for _ in 0..<EventHub.readersOfUserMax { places.append(try hub.takePlace(forUser: 7)) }
                #expect(throws: Problem.self) { try hub.takePlace(forUser: 7) }
                #expect(throws: Never.self) { try hub.takePlace(forUser: 8) }
                #expect(hub.readerCount == places.count)
            }
            #expect(hub.readerCount == 0)
        }
    }

    private func withReader(
        _ hub: EventHub, _ fixture: ChatFixture, _ body: (EventReader) async throws -> Void
    ) async throws {
        let place = try hub.takePlace(forUser: Self.identity.userID)
        try await hub.withReader(ofConversation: fixture.conversationID, Self.identity, in: place, body)
    }

    /// A hub that polls all the time.
    private func withHub(_ body: (ChatFixture, EventHub) async throws -> Void) async throws {
        try await ChatFixture.with { fixture in
            let frame = HTTPFrame(name: "test", settings: HTTPSettings())
            let hub = EventHub(
                database: fixture.database, revoked: RevokedSessions(), drain: frame.drain, logger: .quiet,
                pollInterval: .milliseconds(10))
            try await withThrowingTaskGroup { group in
                group.addTask { try await hub.run() }
                try await body(fixture, hub)
                group.cancelAll()
            }
        }
    }

    private func standing(_ fixture: ChatFixture) async throws -> EventStanding {
        try await fixture.database.eventStandings(ofConversations: [fixture.conversationID])[fixture.conversationID]
            .orThrow("the conversation")
    }
}
