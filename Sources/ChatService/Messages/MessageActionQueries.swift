import Shared

/// How an action on a message ended.
enum MessageActionOutcome: Sendable {
    /// Done; the id of the message that tells of it and the job that was made or stopped.
    case done(messageID: Int, jobID: Int)
    /// The message is the user's, but in no state for this action.
    case refused
    /// The user has no such message.
    case absent
}

/// Cancel, retry and regenerate: single statements, so that two replicas asked at once give one effect.
extension PostgresQuerying {
    /// Stops the work on a message: takes the job away, so that its holder's next write changes nothing, and marks the
    /// message.
    func cancelMessage(_ id: Int, userID: Int) async throws -> MessageActionOutcome {
        let rows = try await query(
            """
            with job as (
                delete from chat.jobs where subject_id = \(id) and user_id = \(userID) returning id),
            message as (
                update chat.messages set
                    status = 'cancelled', error_code = 'cancelled',
                    error_detail = 'The work on this message was cancelled.', error_retryable = true
                where id = \(id) and exists (select from job) returning id)
            select (select id from job), (select id from message)
            from chat.messages m join chat.conversations c on c.id = m.conversation_id
            where m.id = \(id) and c.user_id = \(userID)
            """)
        return try outcome(of: rows)
    }

    /// Starts a failed or cancelled question again, at the answer when its text is known already.
    func retryMessage(_ id: Int, userID: Int) async throws -> MessageActionOutcome {
        let rows = try await query(
            """
            with message as (
                update chat.messages m set
                    status = 'processing', error_code = null, error_detail = null, error_retryable = null
                from chat.conversations c
                where m.id = \(id) and c.id = m.conversation_id and c.user_id = \(userID)
                    and m.role = 'user' and m.status in ('failed', 'cancelled') and m.error_retryable
                returning m.id, m.conversation_id),
            work as (
                select id, conversation_id, case when exists (
                    select from chat.upload_chunks u join chat.files f on f.id = u.file_id
                    where f.message_id = message.id) then 'recognize' else 'answer' end as stage
                from message),
            job as (
                insert into chat.jobs (subject_id, question_id, answer_id, conversation_id, user_id, stage, turn)
                select id, id, nextval('chat.messages_id_seq'), conversation_id, \(userID), stage,
                    \(sql: JobTurn.next(stage: "work.stage", user: "\(userID)"))
                from work returning id)
            select (select id from job), (select id from message)
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
            message as (
                insert into chat.messages (conversation_id, role, status, content, reply_to, generation)
                select conversation_id, 'assistant', 'processing', '', reply_to,
                    (select max(generation) + 1 from chat.messages a where a.reply_to = old.reply_to)
                from old returning id, conversation_id, reply_to, generation),
            conversation as (
                update chat.conversations set updated_at = clock_timestamp(), messages_count = messages_count + 1
                where id = (select conversation_id from message)),
            job as (
                insert into chat.jobs (
                    subject_id, question_id, answer_id, generation, conversation_id, user_id, stage, turn)
                select id, reply_to, id, generation, conversation_id, \(userID), 'answer',
                    \(sql: JobTurn.next(stage: "'answer'", user: "\(userID)"))
                from message returning id)
            select (select id from job), (select id from message)
            from chat.messages m join chat.conversations c on c.id = m.conversation_id
            where m.id = \(id) and c.user_id = \(userID)
            """)
        return try outcome(of: rows)
    }

    private func outcome(of rows: PostgresRows) throws -> MessageActionOutcome {
        guard let row = rows.first else { return .absent }
        let (jobID, messageID) = try row.decode(Int?.self, Int?.self)
        guard let jobID, let messageID else { return .refused }
        return .done(messageID: messageID, jobID: jobID)
    }
}
