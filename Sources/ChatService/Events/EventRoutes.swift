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
        var tail = try await ConversationTail(
            database, conversationID: reader.conversationID, userID: reader.userID, cursor: cursor, to: &events)
        while tail != nil {
            let signals = await reader.next()
            if signals.contains(.end) { return }
            do {
                guard try await tail?.catchUp(with: signals, to: &events) == true else { return }
            } catch is PostgresError {
                reader.signal(signals)
                try await Task.sleep(for: pause)
            }
            if signals == .ping { try await events.sendPing() }
        }
    }
}
