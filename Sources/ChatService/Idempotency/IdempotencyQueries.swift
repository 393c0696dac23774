import Shared

/// What a known key stands for: a stored answer, or the question that the answer is derived from.
struct KnownAnswer: Sendable {
    /// Nil while the answer is not told by anything but the rows of the question.
    let status: Int?
    /// The JSON document that was answered, where it is kept.
    let body: [UInt8]?
    let questionID: Int?
    let conversationID: Int?
}

/// How a key stands at the moment.
enum KeyStanding: Sendable {
    case unused
    case known(KnownAnswer)
    /// The key belongs to another payload.
    case reused
}

extension IdempotencyKey {
    /// An `insert` of the key for the question that `source`, a part of the same statement, has just stored.
    ///
    /// A second one breaks `idempotency_keys_pkey`, which takes the whole statement back: the constraint decides, no
    /// look before. A key whose statement did not commit was never there.
    ///
    /// - Parameter status: of the answer, when it is decided with the work.
    func insertion(forQuestionIn source: SQL, status: Int? = nil) -> SQL {
        """
        insert into chat.idempotency_keys (user_id, path, key, fingerprint, status, message_id)
        select \(mark.userID), \(mark.call.rawValue), \(mark.text), \(payload.bytes), \(status.map(Int16.init)), id
        from \(sql: source)
        """
    }
}

extension PostgresError {
    /// Whether another request with the same key was quicker.
    var isIdempotencyConflict: Bool { violatedConstraint == "idempotency_keys_pkey" }
}

/// The rows of `chat.idempotency_keys`.
extension PostgresQuerying {
    /// What the key stands for; one that is past its day counts as unused and is removed.
    func standing(of key: IdempotencyKey) async throws -> KeyStanding {
        let rows = try await read(
            """
            select fingerprint = \(key.payload.bytes),
                created_at < clock_timestamp() - make_interval(hours => \(IdempotencyKey.keptHours)::int),
                status, body, message_id, conversation_id
            from chat.idempotency_keys
            where user_id = \(key.mark.userID) and path = \(key.mark.call.rawValue) and key = \(key.mark.text)
            """)
        guard let row = rows.first else { return .unused }
        let (isSame, isExpired, status, body, questionID, conversationID) = try row.decode(
            Bool.self, Bool.self, Int?.self, [UInt8]?.self, Int?.self, Int?.self)
        if isExpired {
            try await forgetExpired(key.mark)
            return .unused
        }
        guard isSame else { return .reused }
        return .known(
            KnownAnswer(status: status, body: body, questionID: questionID, conversationID: conversationID))
    }

    /// Whether a request with this key was accepted already, whatever its payload was.
    func isKnown(_ mark: IdempotencyMark) async throws -> Bool {
        try await !read(
            """
            select from chat.idempotency_keys
            where user_id = \(mark.userID) and path = \(mark.call.rawValue) and key = \(mark.text)
                and created_at >= clock_timestamp() - make_interval(hours => \(IdempotencyKey.keptHours)::int)
            """
        ).isEmpty
    }

    /// Keeps an answer that has no question behind it: of a new conversation, or a refusal that is final.
    ///
    /// - Parameter conversationID: takes the key along when it is deleted.
    func insertKey(_ key: IdempotencyKey, status: Int, body: [UInt8], conversationID: Int?) async throws {
        try await query(
            """
            insert into chat.idempotency_keys (user_id, path, key, fingerprint, status, body, conversation_id)
            values (\(key.mark.userID), \(key.mark.call.rawValue), \(key.mark.text), \(key.payload.bytes),
                \(Int16(status)), \(body), \(conversationID))
            """)
    }

    /// Notes the status that the asker of a question was answered with although the question was not final.
    func setStatus(_ status: Int, of mark: IdempotencyMark) async throws {
        try await query(
            """
            update chat.idempotency_keys set status = \(Int16(status))
            where user_id = \(mark.userID) and path = \(mark.call.rawValue) and key = \(mark.text)
            """)
    }

    /// Deletes up to `limit` keys that are past their day; returns how many.
    func deleteIdempotencyKeys(olderThanHours hours: Int, limit: Int) async throws -> Int {
        try await query(
            """
            delete from chat.idempotency_keys where (user_id, path, key) in (
                select user_id, path, key from chat.idempotency_keys
                where created_at < clock_timestamp() - make_interval(hours => \(hours)::int)
                order by created_at limit \(limit) for update skip locked)
            """
        ).affectedRows
    }

    private func forgetExpired(_ mark: IdempotencyMark) async throws {
        try await query(
            """
            delete from chat.idempotency_keys
            where user_id = \(mark.userID) and path = \(mark.call.rawValue) and key = \(mark.text)
                and created_at < clock_timestamp() - make_interval(hours => \(IdempotencyKey.keptHours)::int)
            """)
    }
}

extension PostgresTransaction {
    /// Keeps others with the same key out until the transaction ends, without making them wait: a repetition that
    /// waited for an upload of 50 MiB to be stored would hold a connection all that time.
    ///
    /// - Throws: 409 `idempotency_in_progress` when another one has it.
    func lock(_ mark: IdempotencyMark) async throws {
        let scope = "\(mark.userID) \(mark.call.rawValue) \(mark.text)"
        let isFree = try await query("select pg_try_advisory_xact_lock(hashtextextended(\(scope), 0))")[0]
            .decode(Bool.self)
        guard isFree else { throw Problem(.idempotencyInProgress) }
    }
}
