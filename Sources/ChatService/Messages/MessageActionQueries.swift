import Shared

/// How an action on a message ended.
enum MessageActionOutcome: Sendable {
    /// Done; the id of the message that tells of it and the job that was made or stopped.
    case done(messageID: Int, jobID: Int, conversationID: Int)
    /// The message is the user's, but in no state for this action.
    case refused
    /// The user has no such message.
    case absent
}

/// Retry and regenerate: single statements, so that two replicas asked at once give one effect.
extension PostgresQuerying {
    /// Starts a failed or cancelled question again, at the answer when its text is known already.
    ///
    /// An answer that was cancelled on the way is the one that will be filled in: there is never a second.
    func retryMessage(_ id: Int, userID: Int) async throws -> MessageActionOutcome {
        let rows = try await query(
            """
            with conversation as (
                update chat.conversations set changes = changes + 1
                where user_id = \(userID) and id = (
                    select conversation_id from chat.messages
                    where id = \(id) and role = 'user' and status in ('failed', 'cancelled') and error_retryable)
                returning id, changes),
            message as (
                update chat.messages m set
                    status = 'processing', error_code = null, error_detail = null, error_retryable = null,
                    change = c.changes
                from conversation c
                where m.id = \(id) and c.id = m.conversation_id
                    and m.role = 'user' and m.status in ('failed', 'cancelled') and m.error_retryable
                returning m.id, m.conversation_id),
            work as (
                select id, conversation_id, case when exists (
                    select from chat.upload_chunks u join chat.files f on f.id = u.file_id
                    where f.message_id = message.id) then 'recognize' else 'answer' end as stage
                from message),
            job as (
                insert into chat.jobs (subject_id, question_id, answer_id, conversation_id, user_id, stage, turn)
                select id, id,
                    coalesce(
                        (select id from chat.messages where reply_to = work.id and generation = 0),
                        nextval('chat.messages_id_seq')),
                    conversation_id, \(userID), stage,
                    \(sql: JobTurn.next(stage: "work.stage", user: "\(userID)"))
                from work returning id)
            select (select id from job), (select id from message), m.conversation_id
            from chat.messages m join chat.conversations c on c.id = m.conversation_id
            where m.id = \(id) and c.user_id = \(userID)
            """)
        return try outcome(of: rows)
    }

    /// Asks the model again for the question of a finished answer; the new answer is a row at once, the old one stays.
    ///
    /// Two at once take the same number for theirs; the constraint refuses one, which tries again with the next.
    func regenerateMessage(_ id: Int, userID: Int) async throws -> MessageActionOutcome {
        for _ in 0..<8 {
            do {
                return try await insertRegeneration(of: id, userID: userID)
            } catch let error as PostgresError where error.violatedConstraint == "messages_one_answer" {
                continue
            }
        }
        return try await insertRegeneration(of: id, userID: userID)
    }

    private func insertRegeneration(of id: Int, userID: Int) async throws -> MessageActionOutcome {
        let rows = try await query(
            """
            with old as (
                select m.id, m.reply_to, m.conversation_id
                from chat.messages m join chat.conversations c on c.id = m.conversation_id
                where m.id = \(id) and c.user_id = \(userID) and m.role = 'assistant' and m.status <> 'processing'),
            conversation as (
                update chat.conversations set
                    updated_at = clock_timestamp(), messages_count = messages_count + 1, changes = changes + 1
                where id = (select conversation_id from old) returning changes),
            message as (
                insert into chat.messages (conversation_id, role, status, content, reply_to, generation, change)
                select conversation_id, 'assistant', 'processing', '', reply_to,
                    (select max(generation) + 1 from chat.messages a where a.reply_to = old.reply_to), c.changes
                from old, conversation c returning id, conversation_id, reply_to, generation),
            job as (
                insert into chat.jobs (
                    subject_id, question_id, answer_id, generation, conversation_id, user_id, stage, turn)
                select id, reply_to, id, generation, conversation_id, \(userID), 'answer',
                    \(sql: JobTurn.next(stage: "'answer'", user: "\(userID)"))
                from message returning id)
            select (select id from job), (select id from message), m.conversation_id
            from chat.messages m join chat.conversations c on c.id = m.conversation_id
            where m.id = \(id) and c.user_id = \(userID)
            """)
        return try outcome(of: rows)
    }

    private func outcome(of rows: PostgresRows) throws -> MessageActionOutcome {
        guard let row = rows.first else { return .absent }
        let (jobID, messageID, conversationID) = try row.decode(Int?.self, Int?.self, Int.self)
        guard let jobID, let messageID else { return .refused }
        return .done(messageID: messageID, jobID: jobID, conversationID: conversationID)
    }
}

extension PostgresDatabase {
    /// Stops the work on a message: takes the job away, so that its holder's next write changes nothing, and marks the
    /// message. What the model had written by then is kept, as an answer that is `cancelled`.
    ///
    /// Statements in a transaction: the first waits for a piece of the answer that is just being written, the others
    /// see it.
    ///
    /// - Parameter usage: estimates the contract's `usage` object, as JSON, of an answer stopped after this text. It
    ///   runs while the job is locked.
    func cancelMessage(
        _ id: Int, userID: Int, usage: @escaping @Sendable (String, QuestionContext) -> String
    ) async throws -> MessageActionOutcome {
        try await repeatingDeadlocks {
            try await withTransaction { try await $0.cancelMessage(id, userID: userID, usage: usage) }
        }
    }
}

extension PostgresTransaction {
    fileprivate func cancelMessage(
        _ id: Int, userID: Int, usage: (String, QuestionContext) -> String
    ) async throws -> MessageActionOutcome {
        let jobs = try await query(
            """
            delete from chat.jobs where subject_id = \(id) and user_id = \(userID)
            returning id, question_id, answer_id, conversation_id
            """)
        guard let job = jobs.first else {
            let message = try await self.message(id, userID: userID)
            return message == nil ? .absent : .refused
        }
        let (jobID, questionID, answerID, conversationID) = try job.decode(Int.self, Int.self, Int.self, Int.self)
        var usageOfAnswer: String?
        if let text = try await unfinishedText(ofAnswer: answerID, conversation: conversationID),
            let context = try await questionContext(of: questionID)
        {
            usageOfAnswer = usage(text, context)
        }
        try await markCancelled(
            subject: id, question: questionID, answer: answerID, conversation: conversationID, usage: usageOfAnswer)
        return .done(messageID: id, jobID: jobID, conversationID: conversationID)
    }

    /// What the newest attempt has written of an answer; nil when there is nothing.
    private func unfinishedText(ofAnswer id: Int, conversation: Int) async throws -> String? {
        let rows = try await read(
            """
            select string_agg(text, '' order by position) from chat.deltas d
            where conversation_id = \(conversation) and message_id = \(id) and attempt = (
                select max(attempt) from chat.deltas
                where conversation_id = d.conversation_id and message_id = d.message_id)
            """)
        guard let row = rows.first else { return nil }
        return try row.decode(String?.self)
    }

    /// Stores the pieces of the newest attempt as the answer, which is a new row unless the answer has one already, and
    /// marks the message that tells of the job.
    fileprivate func markCancelled(
        subject: Int, question: Int, answer: Int, conversation: Int, usage: String?
    ) async throws {
        try await query(
            """
            with piece as (
                delete from chat.deltas where conversation_id = \(conversation) and message_id = \(answer)
                returning attempt, position, text),
            partial as (
                select string_agg(text, '' order by position) as text from piece
                where attempt = (select max(attempt) from piece) having count(*) > 0),
            conversation as (
                update chat.conversations set
                    updated_at = clock_timestamp(), changes = changes + 2,
                    messages_count = messages_count + (select count(*) from partial where not exists (
                        select from chat.messages where id = \(answer)))
                where id = \(conversation) returning changes),
            answer as (
                insert into chat.messages (
                    id, conversation_id, role, status, content, reply_to, change, error_code, error_detail,
                    error_retryable, usage)
                overriding system value
                select \(answer), \(conversation), 'assistant', 'cancelled', p.text, \(question), c.changes - 1,
                    'cancelled', \(Self.cancelledDetail), false, \(usage)::text::json
                from partial p, conversation c where \(subject) <> \(answer)
                on conflict (id) do update set
                    content = excluded.content, change = excluded.change, status = excluded.status,
                    error_code = excluded.error_code, error_detail = excluded.error_detail,
                    error_retryable = excluded.error_retryable, usage = excluded.usage),
            searched as (
                insert into chat.search_queue select unnest(array[\(question), \(answer)]::bigint[]))
            update chat.messages set
                status = 'cancelled', error_code = 'cancelled', error_detail = \(Self.cancelledDetail),
                error_retryable = role = 'user', change = c.changes,
                usage = case when role = 'user' then usage else \(usage)::text::json end,
                content = case when role = 'user' then content else coalesce((select text from partial), '') end
            from conversation c where id = \(subject)
            """)
    }

    private static var cancelledDetail: String { "The work on this message was cancelled." }
}
