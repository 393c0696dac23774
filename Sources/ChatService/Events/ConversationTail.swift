import NIOCore
import Shared

/// Tells one reader what is new in a conversation: reads the rows behind what was told, writes the events, and keeps
/// where it is. One batch is in memory at a time, however slow the reader is.
struct ConversationTail {
    private let database: PostgresDatabase
    private let conversationID: Int
    private let userID: Int
    private var change: Int
    /// The last change of the conversation itself that was told.
    private var ownChange: Int
    private var ledger: DraftLedger

    /// Rows of `chat.deltas` that are read at once.
    static let deltasMax = 128

    /// Begins a stream: goes on at `cursor`, or, without one, tells of the messages that are being worked on.
    ///
    /// - Returns: nil when the user has no such conversation.
    init?(
        _ database: PostgresDatabase, conversationID: Int, userID: Int, cursor: EventCursor?,
        to events: inout EventStreamWriter
    ) async throws {
        self.database = database
        self.conversationID = conversationID
        self.userID = userID
        guard let now = try await database.openMessages(ofConversation: conversationID, userID: userID) else {
            return nil
        }
        // A cursor from the future: the database was restored to an earlier state.
        let cursor = cursor.flatMap { $0.change <= now.last ? $0 : nil }
        change = cursor?.change ?? now.last
        ownChange = cursor?.change ?? now.own
        ledger = DraftLedger(cursor?.drafts ?? [])
        try await events.begin(id: position)
        guard cursor == nil else { return }
        for message in now.messages { try await tell(message, to: &events) }
    }

    private var position: String { EventCursor(change: change, drafts: ledger.told).text }

    /// Tells what is new. Returns whether the conversation is still there.
    mutating func catchUp(with signals: EventSignals, to events: inout EventStreamWriter) async throws -> Bool {
        if signals.contains(.changes), try await !tellChanges(to: &events) { return false }
        if signals.contains(.deltas) { try await tellDeltas(to: &events) }
        return true
    }

    private mutating func tellChanges(to events: inout EventStreamWriter) async throws -> Bool {
        while true {
            let found = try await database.changes(ofConversation: conversationID, userID: userID, after: change)
            guard let found else { return false }
            if found.own > ownChange { try await tellConversation(found, to: &events) }
            for message in found.messages {
                if message.isFinal { try await makeWhole(message, &events) }
                change = message.change
                try await tell(message, to: &events)
            }
            guard found.isWhole else { continue }
            change = max(change, found.last)
            return true
        }
    }

    private mutating func tellConversation(
        _ found: ConversationChanges, to events: inout EventStreamWriter
    ) async throws {
        guard let conversation = try await database.conversation(conversationID, userID: userID) else { return }
        ownChange = found.own
        if found.messages.isEmpty { change = max(change, found.last) }
        var json = JSONWriter()
        json.conversation(conversation)
        try await events.send("conversation", id: position, body: json.buffer)
    }

    private func tell(_ message: ChangedMessage, to events: inout EventStreamWriter) async throws {
        var json = JSONWriter(capacity: 512 + message.content.utf8.count)
        json.message(message.row)
        try await events.send("message", id: position, body: json.buffer)
    }

    /// Before an answer's end is told, what was told of it becomes its whole text.
    private mutating func makeWhole(_ message: ChangedMessage, _ events: inout EventStreamWriter) async throws {
        guard let questionID = message.replyTo else {
            if message.isGivenUp { ledger.giveUp(question: message.id) }
            return
        }
        if let rest = ledger.finish(answer: message.id, questionID: questionID, content: message.content) {
            try await tell(rest, to: &events)
        }
    }

    private mutating func tellDeltas(to events: inout EventStreamWriter) async throws {
        while true {
            let rows = try await database.deltas(
                ofConversation: conversationID, after: ledger.positions, limit: Self.deltasMax)
            let isWhole = rows.count < Self.deltasMax
            for delta in ledger.take(rows, isWhole: isWhole) { try await tell(delta, to: &events) }
            if isWhole, !ledger.mustReadAgain { return }
        }
    }

    private func tell(_ delta: ToldDelta, to events: inout EventStreamWriter) async throws {
        var json = JSONWriter(capacity: 96 + delta.text.utf8.count)
        json.object { json in
            json.member("message_id", delta.messageID)
            json.member("reply_to", delta.questionID)
            json.member("offset", delta.offset)
            json.member("text", delta.text)
        }
        try await events.send("delta", id: position, body: json.buffer)
    }
}
