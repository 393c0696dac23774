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
        try hub.checkRoom(forUser: identity.userID)
        guard try await database.conversation(id, userID: identity.userID) != nil else {
            throw Problem(.conversationNotFound)
        }
        let (database, hub) = (database, hub)
        return .eventStream { events in
            try await hub.withReader(ofConversation: id, identity) { reader in
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
        let (conversationID, userID) = (reader.conversationID, reader.userID)
        let begun = try await aside {
            try await ConversationTail.begin(database, conversationID: conversationID, userID: userID, cursor: cursor)
        }
        guard let begun else { return }
        try await events.send(events: begun.events)
        var tail = begun.tail
        while true {
            let signals = await reader.next()
            if signals.contains(.end) { return }
            do {
                guard let batch = try await aside({ [tail] in try await tail.next(signals) }) else { return }
                if batch.events.readableBytes > 0 {
                    try await events.send(events: batch.events)
                    reader.wasTold()
                } else if signals.contains(.ping) {
                    try await events.sendPing()
                }
                tail = batch.tail
                reader.signal(batch.due)
            } catch is PostgresError {
                if signals.contains(.ping) { try await events.sendPing() }
                reader.signal(signals.subtracting(.ping))
                try await Task.sleep(for: pause)
            }
        }
    }

    /// Runs `body` in a task of its own, whose stack ends with it: the one that waits here, perhaps for hours, would
    /// keep as much memory as its deepest call took.
    @inline(never)
    private static func aside<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        async let value = body()
        return try await value
    }
}
