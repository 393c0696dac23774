import Shared

/// How many columns `messageColumns` are.
private let messageColumnCount = 10

/// What changed in a conversation since a reader looked last.
struct ConversationChanges: Sendable {
    /// The number of the conversation's last change; all up to here are visible.
    let last: Int
    /// The number of the last change of its title or business context.
    let own: Int
    /// Messages in the order of their changes, each as it stands now.
    let messages: [ChangedMessage]
    /// Whether there are none after these.
    let isWhole: Bool
}

/// A message as it stands after a change.
struct ChangedMessage: Sendable {
    let change: Int
    let id: Int
    /// Of an answer: its question.
    let replyTo: Int?
    let isFinal: Bool
    /// Whether it ended without success.
    let isGivenUp: Bool
    /// Of an answer.
    let content: String
    /// For `MessageJSON`.
    let row: PostgresRow
}

/// What the readers of events look at. Order is the number of the change, given under the lock of the conversation's
/// row, so what is visible is complete up to its greatest number.
extension PostgresQuerying {
    /// How many changed messages one read fetches, and about how many bytes of content.
    private static var changesMax: Int { 50 }
    private static var contentBytesMax: Int { 256 * 1024 }

    /// The messages that changed after number `change`, in order, a bounded number of them.
    ///
    /// - Returns: nil when the user has no such conversation.
    func changes(ofConversation id: Int, userID: Int, after change: Int) async throws -> ConversationChanges? {
        try await changes(
            ofConversation: id, userID: userID, where: "conversation_id = c.id and change > \(change) and change > 0")
    }

    /// The messages that are being worked on, as `changes` gives those that changed: where a new reader begins.
    func openMessages(ofConversation id: Int, userID: Int) async throws -> ConversationChanges? {
        try await changes(
            ofConversation: id, userID: userID,
            where: """
                id in (select subject_id from chat.jobs where user_id = c.user_id and conversation_id = c.id)
                and status = 'processing'
                """)
    }

    private func changes(
        ofConversation id: Int, userID: Int, where condition: SQL
    ) async throws -> ConversationChanges? {
        let rows = try await read(
            """
            select \(sql: messageColumns), c.changes, c.own_change, m.change, m.next_change is null
            from chat.conversations c left join lateral (
                select * from (
                    select *, lead(change) over earlier as next_change, row_number() over earlier as number,
                        sum(octet_length(content)) over earlier - octet_length(content) as bytes_before
                    from (
                        select * from chat.messages where \(sql: condition)
                        order by change limit \(Self.changesMax + 1)) changed
                    window earlier as (order by change)) bounded
                where number <= \(Self.changesMax) and bytes_before < \(Self.contentBytesMax)) m on true
            where c.id = \(id) and c.user_id = \(userID)
            order by m.change
            """)
        return try changes(in: rows)
    }

    private func changes(in rows: PostgresRows) throws -> ConversationChanges? {
        guard let first = rows.first else { return nil }
        let last = first.integer(column: messageColumnCount) ?? 0
        let own = first.integer(column: messageColumnCount + 1) ?? 0
        let messages = rows.compactMap(ChangedMessage.init(row:))
        let isWhole = rows.last?.withColumns { columns in columns[messageColumnCount + 3]?.first != 0 } ?? true
        return ConversationChanges(last: last, own: own, messages: messages, isWhole: isWhole)
    }

    /// Pieces of answers that are on their way, after `positions` and of answers that are not among them.
    ///
    /// The key of the table is cut into ranges at the positions, so that what was read before is not looked at again.
    /// An answer that is stored has no pieces, or some that a late writer left behind.
    func deltas(ofConversation id: Int, after positions: [DeltaPosition], limit: Int) async throws -> [DeltaRow] {
        let from = [DeltaPosition(messageID: 0, attempt: 0, position: 0)] + positions
        let below = positions.map(\.messageID) + [Int.max]
        return try await read(
            """
            select d.message_id, d.attempt, d.position, d.question_id, d.text
            from unnest(
                \(from.map(\.messageID))::bigint[], \(from.map(\.attempt))::bigint[], \(from.map(\.position))::bigint[],
                \(below)::bigint[]) as told (message_id, attempt, position, below)
            cross join lateral (
                select * from chat.deltas
                where conversation_id = \(id)
                    and (message_id, attempt, position) >= (told.message_id, told.attempt, told.position)
                    and message_id < told.below
                order by message_id, attempt, position limit \(limit)) d
            where not exists (select from chat.messages m where m.id = d.message_id and m.status = 'completed')
            order by d.message_id, d.attempt, d.position limit \(limit)
            """
        ).map { row in
            let (messageID, attempt, position, questionID, text) = try row.decode(
                Int.self, Int.self, Int.self, Int.self, String.self)
            return DeltaRow(
                messageID: messageID, attempt: attempt, position: position, questionID: questionID, text: text)
        }
    }

    /// For the poll behind the doorbell: how far each of these conversations is, and whether answers are on their way.
    func eventStandings(ofConversations ids: [Int]) async throws -> [Int: EventStanding] {
        let rows = try await read(
            """
            select c.id, c.changes, exists (select from chat.deltas d where d.conversation_id = c.id)
            from chat.conversations c where c.id = any(\(ids))
            """)
        return try Dictionary(
            uniqueKeysWithValues: rows.map { row in
                let (id, changes, hasDeltas) = try row.decode(Int.self, Int.self, Bool.self)
                return (id, EventStanding(changes: changes, hasDeltas: hasDeltas))
            })
    }
}

/// How far a conversation is.
struct EventStanding: Sendable {
    let changes: Int
    let hasDeltas: Bool
}

extension ChangedMessage {
    /// `messageColumns`, and behind them what `changes` selects. Nil for the row that stands for no message.
    fileprivate init?(row: PostgresRow) {
        guard let change = row.integer(column: messageColumnCount + 2), let id = row.integer(column: 0) else {
            return nil
        }
        self.change = change
        self.id = id
        self.row = row
        replyTo = row.integer(column: 5)
        let status = row.text(column: 3)
        isFinal = status != "processing"
        isGivenUp = status == "failed" || status == "cancelled"
        content = replyTo == nil ? "" : row.text(column: 4)
    }
}

extension PostgresRow {
    fileprivate func text(column: Int) -> String {
        withColumns { columns in columns[column].map { String(decoding: $0, as: UTF8.self) } ?? "" }
    }
}
