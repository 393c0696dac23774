import HTTPTypes
import Hummingbird
import Shared

/// `GET /conversations/{id}/events`: what happens in a conversation, from any replica, whoever does the work.
struct EventRoutes: Sendable {
    let database: PostgresDatabase
    let hub: EventHub

    /// The pause after a read that failed.
    private static let pause: Duration = .seconds(1)

    func stream(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let id = try context.id("id")
        let cursor = try Self.cursor(of: request)
        let identity = context.identity
        let place = try hub.takePlace(forUser: identity.userID)
        guard try await database.conversation(id, userID: identity.userID) != nil else {
            throw Problem(.conversationNotFound)
        }
        let (database, hub) = (database, hub)
        return .eventStream { events in
            try await hub.withReader(ofConversation: id, identity, in: place) { reader in
                try await Self.tell(reader, of: database, from: cursor, to: events)
            }
        }
    }

    /// A client that reconnects by itself keeps the query and sends the header: that one is newer.
    private static func cursor(of request: Request) throws(Problem) -> EventCursor? {
        if let id = request.headers[.lastEventID], !id.isEmpty { return try EventCursor(id) }
        guard let after = request.uri.queryParameters["after"], !after.isEmpty else { return nil }
        return try EventCursor(after)
    }

    /// Until the conversation or the session ends, the replica stops, or the client goes away.
    private static func tell(
        _ reader: EventReader, of database: PostgresDatabase, from cursor: EventCursor?, to events: EventStreamWriter
    ) async throws {
        var events = events
        var place = try await begin(reader, of: database, from: cursor, to: &events)
        while let tail = place {
            let signals = await reader.next()
            if signals.contains(.end) { return }
            do {
                place = try await go(on: tail, with: signals, reader, to: &events)
            } catch is PostgresError {
                if signals.contains(.ping) { try await events.sendPing() }
                reader.signal(signals.subtracting(.ping))
                try await rest()
            }
        }
    }

    // What is not inlined has a frame only while it runs: that of `tell` is there for as long as the stream.

    @inline(never)
    private static func rest() async throws {
        try await Task.sleep(for: pause)
    }

    /// - Returns: nil when there is no such conversation.
    @inline(never)
    private static func begin(
        _ reader: EventReader, of database: PostgresDatabase, from cursor: EventCursor?,
        to events: inout EventStreamWriter
    ) async throws -> ConversationTail? {
        let (conversationID, userID) = (reader.conversationID, reader.userID)
        let begun = try await inChildTask {
            try await ConversationTail.begin(database, conversationID: conversationID, userID: userID, cursor: cursor)
        }
        guard let begun else { return nil }
        try await events.send(events: begun.events)
        reader.hasReached(begun.tail.change)
        reader.signal(begun.due)
        return begun.tail
    }

    /// - Returns: nil when the conversation is no more.
    @inline(never)
    private static func go(
        on tail: ConversationTail, with signals: EventSignals, _ reader: EventReader,
        to events: inout EventStreamWriter
    ) async throws -> ConversationTail? {
        guard let batch = try await inChildTask({ try await tail.next(signals) }) else { return nil }
        if batch.events.readableBytes > 0 {
            try await events.send(events: batch.events)
            reader.wasTold()
        } else if signals.contains(.ping) {
            try await events.sendPing()
        }
        reader.hasReached(batch.tail.change)
        reader.signal(batch.due)
        return batch.tail
    }
}
