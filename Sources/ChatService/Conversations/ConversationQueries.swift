import Shared

/// A conversation as the contract answers it.
struct Conversation: Sendable {
    let id: Int
    let userID: Int
    let title: String
    let businessContext: String?
    let messagesCount: Int
    let createdAt: Timestamp
    /// Last activity.
    let updatedAt: Timestamp

    /// The columns of `init(row:)`, in its order.
    static let columns: SQL = "id, user_id, title, business_context, messages_count, created_at, updated_at"

    init(row: PostgresRow) throws {
        (id, userID, title, businessContext, messagesCount, createdAt, updatedAt) = try row.decode(
            Int.self, Int.self, String.self, String?.self, Int.self, Timestamp.self, Timestamp.self)
    }
}

/// Every statement names the owner: a conversation of somebody else does not exist.
extension PostgresQuerying {
    func insertConversation(userID: Int, title: String, businessContext: String?) async throws -> Conversation {
        let rows = try await query(
            """
            insert into chat.conversations (user_id, title, business_context)
            values (\(userID), \(title), \(businessContext))
            returning \(sql: Conversation.columns)
            """)
        return try Conversation(row: rows[0])
    }

    func conversation(_ id: Int, userID: Int) async throws -> Conversation? {
        try await read(
            "select \(sql: Conversation.columns) from chat.conversations where id = \(id) and user_id = \(userID)"
        ).first.map(Conversation.init(row:))
    }

    /// A page of the user's conversations, last active first, after `cursor` or past `offset` rows.
    func conversations(userID: Int, after cursor: PageCursor?, offset: Int, limit: Int) async throws -> [Conversation] {
        let position: SQL =
            if let cursor { "and (updated_at, id) < (\(cursor.time), \(cursor.id))" } else { "" }
        return try await read(
            """
            select \(sql: Conversation.columns) from chat.conversations
            where user_id = \(userID) \(sql: position)
            order by updated_at desc, id desc limit \(limit) offset \(offset)
            """
        ).map(Conversation.init(row:))
    }

    func countConversations(userID: Int) async throws -> Int {
        try await read("select count(*) from chat.conversations where user_id = \(userID)")[0].decode(Int.self)
    }

    /// Changes what is given; `businessContext` of `.some(nil)` clears it. Nil when there is no such conversation.
    func updateConversation(
        _ id: Int, userID: Int, title: String?, businessContext: String??
    ) async throws -> Conversation? {
        let setsContext = businessContext != nil
        return try await query(
            """
            update chat.conversations set
                changes = changes + 1, own_change = changes + 1,
                title = coalesce(\(title), title),
                business_context =
                    case when \(setsContext) then \(businessContext.flatMap { $0 }) else business_context end
            where id = \(id) and user_id = \(userID)
            returning \(sql: Conversation.columns)
            """
        ).first.map(Conversation.init(row:))
    }
}

extension PostgresDatabase {
    /// Takes messages and files with it (foreign keys), running work and pieces of answers (a trigger, which stops the
    /// holders). Returns whether there was one.
    func deleteConversation(_ id: Int, userID: Int) async throws -> Bool {
        try await repeatingDeadlocks {
            try await query("delete from chat.conversations where id = \(id) and user_id = \(userID)").affectedRows == 1
        }
    }
}
