import NIOCore
import Shared

/// Where one reader of a conversation is: reads the rows behind what was told and gives the events that tell them.
///
/// One batch is in memory at a time, however slow the reader is. Each comes with the place behind it, so that a batch
/// that fails changes nothing.
struct ConversationTail: Sendable {
    /// Events as the reader gets them.
    struct Batch: Sendable {
        /// Behind the events.
        let tail: ConversationTail
        let events: ByteBuffer
        /// What has to be looked at again, as not everything was read.
        let due: EventSignals
    }

    private let database: PostgresDatabase
    private let conversationID: Int
    private let userID: Int
    /// The number of the last change that was told.
    private(set) var change: Int
    /// The last change of the conversation itself that was told.
    private var ownChange: Int
    private var ledger: DraftLedger

    /// Rows of `chat.deltas` that are read at once.
    static let deltasMax = 128

    /// Begins a stream: goes on at `cursor`, or, without one, tells of the messages that are being worked on.
    ///
    /// - Returns: nil when the user has no such conversation.
    static func begin(
        _ database: PostgresDatabase, conversationID: Int, userID: Int, cursor: EventCursor?
    ) async throws -> Batch? {
        guard let now = try await database.openMessages(ofConversation: conversationID, userID: userID) else {
            return nil
        }
        // A cursor from the future: the database was restored to an earlier state.
        let cursor = cursor.flatMap { $0.change <= now.last ? $0 : nil }
        // Those that are not told here have changed later than these, and come with the changes.
        let told = now.isWhole ? now.last : now.messages.last?.change ?? now.last
        let tail = ConversationTail(
            database: database, conversationID: conversationID, userID: userID, change: cursor?.change ?? told,
            ownChange: cursor?.change ?? now.own, ledger: DraftLedger(cursor?.drafts ?? []))
        var events = ByteBuffer()
        events.writeEventStart(id: tail.position)
        if cursor == nil { for message in now.messages { tail.tell(message, to: &events) } }
        var due: EventSignals = [.changes, .deltas]
        if cursor == nil, now.isWhole { due.remove(.changes) }
        // Nothing is on its way where no message is being worked on.
        if !due.contains(.changes), now.messages.isEmpty { due.remove(.deltas) }
        return Batch(tail: tail, events: events, due: due)
    }

    private var position: String { EventCursor(change: change, drafts: ledger.told).text }

    /// The next batch of what is new: first of the messages and the conversation, then of the answers on their way.
    ///
    /// - Returns: nil when the conversation is no more.
    func next(_ signals: EventSignals) async throws -> Batch? {
        var tail = self
        var events = ByteBuffer()
        var due = signals.intersection([.changes, .deltas])
        if due.contains(.changes) {
            guard let isWhole = try await tail.tellChanges(to: &events) else { return nil }
            if isWhole { due.remove(.changes) }
        }
        if due.contains(.deltas), !due.contains(.changes), try await tail.tellDeltas(to: &events) {
            due.remove(.deltas)
        }
        return Batch(tail: tail, events: events, due: due)
    }

    /// - Returns: whether there are none after these; nil when the conversation is no more.
    private mutating func tellChanges(to events: inout ByteBuffer) async throws -> Bool? {
        let found = try await database.changes(ofConversation: conversationID, userID: userID, after: change)
        guard let found else { return nil }
        if found.own > ownChange { try await tellConversation(found, to: &events) }
        for message in found.messages {
            if message.isFinal { makeWhole(message, &events) }
            change = message.change
            tell(message, to: &events)
        }
        if found.isWhole { change = max(change, found.last) }
        return found.isWhole
    }

    private mutating func tellConversation(_ found: ConversationChanges, to events: inout ByteBuffer) async throws {
        guard let conversation = try await database.conversation(conversationID, userID: userID) else { return }
        ownChange = found.own
        if found.messages.isEmpty { change = max(change, found.last) }
        var json = JSONWriter()
        json.conversation(conversation)
        events.writeEvent("conversation", id: position, body: json.buffer)
    }

    private func tell(_ message: ChangedMessage, to events: inout ByteBuffer) {
        var json = JSONWriter(capacity: 512 + message.content.utf8.count)
        json.message(message.row)
        events.writeEvent("message", id: position, body: json.buffer)
    }

    /// Before an answer's end is told, what was told of it becomes its whole text.
    private mutating func makeWhole(_ message: ChangedMessage, _ events: inout ByteBuffer) {
        guard let questionID = message.replyTo else {
            if message.isGivenUp { ledger.giveUp(question: message.id) }
            return
        }
        if let rest = ledger.finish(answer: message.id, questionID: questionID, content: message.content) {
            tell(rest, to: &events)
        }
    }

    /// - Returns: whether there are none after these.
    private mutating func tellDeltas(to events: inout ByteBuffer) async throws -> Bool {
        let rows = try await database.deltas(
            ofConversation: conversationID, after: ledger.positions, limit: Self.deltasMax)
        let isWhole = rows.count < Self.deltasMax
        for delta in ledger.take(rows, isWhole: isWhole) { tell(delta, to: &events) }
        return isWhole && !ledger.mustReadAgain
    }

    private func tell(_ delta: ToldDelta, to events: inout ByteBuffer) {
        var json = JSONWriter(capacity: 96 + delta.text.utf8.count)
        json.object { json in
            json.member("message_id", delta.messageID)
            json.member("reply_to", delta.questionID)
            json.member("offset", delta.offset)
            json.member("text", delta.text)
        }
        events.writeEvent("delta", id: position, body: json.buffer)
    }
}
