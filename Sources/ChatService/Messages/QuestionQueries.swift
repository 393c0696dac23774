import Foundation
import Shared

/// A question as it is about to be stored.
struct NewQuestion: Sendable {
    let conversationID: Int
    let userID: Int
    let content: String
    let domain: String?
    /// How many files come with it; the work then starts with recognition.
    let fileCount: Int
    /// The name of the first file.
    var fileName: String?

    /// What a conversation that has no title yet is called by.
    var title: String { ConversationTitle.made(from: content, fileName: fileName) }
}

/// What answering needs to know of a question.
struct QuestionContext: Sendable {
    let question: String
    let domain: String?
    let businessContext: String?
    /// Completed and cancelled messages before the question, oldest first: what was said until it was stopped was said.
    let history: [EarlierMessage]
}

/// A message of the history, cut to `QuestionContext.messageCharacters`.
struct EarlierMessage: Sendable {
    let isQuestion: Bool
    let text: String
}

extension QuestionContext {
    /// How many earlier messages are looked at; the token budget cuts further.
    static let messagesMax = 60
    /// How much of an earlier message is fetched. Longer than any budget that is sensible, so that one recognised book
    /// in the history does not cross the wire with each question.
    static let messageCharacters = 40_000
}

/// A plain question that was stored with its job, claimed by this replica.
struct AcceptedQuestion: Sendable {
    let job: ClaimedJob
    let context: QuestionContext
}

extension PostgresQuerying {
    /// Stores a question and its job in one statement, claimed by `owner`, and fetches what the model is asked with.
    ///
    /// - Parameter key: stored with them.
    /// - Returns: nil when the user has no such conversation; nothing is stored then.
    func acceptQuestion(
        _ new: NewQuestion, owner: UUID, leaseSeconds: Int, key: IdempotencyKey? = nil
    ) async throws -> AcceptedQuestion? {
        let known: SQL = key.map { "known as (\(sql: $0.insertion(forQuestionIn: "question")))," } ?? ""
        let lease = JobLease(asked: .now, seconds: leaseSeconds)
        let rows = try await query(
            """
            with conversation as (
                update chat.conversations set
                    updated_at = clock_timestamp(), messages_count = messages_count + 1, changes = changes + 1,
                    \(sql: ConversationTitle.assignment(of: new.title))
                where id = \(new.conversationID) and user_id = \(new.userID)
                returning id, user_id, business_context, changes),
            question as (
                insert into chat.messages (conversation_id, role, status, content, domain, change)
                select id, 'user', 'processing', \(new.content), \(new.domain), changes from conversation
                returning id, conversation_id),
            \(sql: known)
            job as (
                insert into chat.jobs (
                    subject_id, question_id, answer_id, conversation_id, user_id, stage, attempt, owner, lease_until)
                select id, id, nextval('chat.messages_id_seq'), conversation_id, \(new.userID), 'answer', 1,
                    \(owner), clock_timestamp() + make_interval(secs => \(Double(leaseSeconds)))
                from question
                returning id, question_id, answer_id)
            select j.id, j.question_id, j.answer_id, c.business_context, h.role, h.text
            from conversation c cross join job j left join lateral (
                select role, left(content, \(QuestionContext.messageCharacters)::int) as text, created_at, id
                from chat.messages
                where conversation_id = \(new.conversationID) and status in ('completed', 'cancelled')
                order by created_at desc, id desc limit \(QuestionContext.messagesMax)) h on true
            order by h.created_at, h.id
            """)
        guard let first = rows.first else { return nil }
        let (jobID, questionID, answerID, businessContext, _, _) = try first.decode(
            Int.self, Int.self, Int.self, String?.self, String?.self, String?.self)
        let history = try rows.compactMap { row in
            let (_, _, _, _, role, text) = try row.decode(
                Int.self, Int.self, Int.self, String?.self, String?.self, String?.self)
            return role.map { EarlierMessage(isQuestion: $0 == "user", text: text ?? "") }
        }
        return AcceptedQuestion(
            job: ClaimedJob(
                fence: JobFence(jobID: jobID, attempt: 1), lease: lease, stage: .answer, tries: 1,
                subjectID: questionID, questionID: questionID, answerID: answerID, conversationID: new.conversationID,
                ageWhenClaimed: .zero),
            context: QuestionContext(
                question: new.content, domain: new.domain, businessContext: businessContext, history: history))
    }

    /// What the model is asked with, for a job that was claimed from the queue. Nil when the question is gone.
    func questionContext(of questionID: Int) async throws -> QuestionContext? {
        let rows = try await read(
            """
            select q.content, q.domain, c.business_context, h.role, h.text
            from chat.messages q join chat.conversations c on c.id = q.conversation_id
            left join lateral (
                select role, left(content, \(QuestionContext.messageCharacters)::int) as text, created_at, id
                from chat.messages
                where conversation_id = q.conversation_id and status in ('completed', 'cancelled')
                    and (created_at, id) < (q.created_at, q.id)
                order by created_at desc, id desc limit \(QuestionContext.messagesMax)) h on true
            where q.id = \(questionID)
            order by h.created_at, h.id
            """)
        guard let first = rows.first else { return nil }
        let (question, domain, businessContext, _, _) = try first.decode(
            String.self, String?.self, String?.self, String?.self, String?.self)
        let history = try rows.compactMap { row in
            let (_, _, _, role, text) = try row.decode(
                String.self, String?.self, String?.self, String?.self, String?.self)
            return role.map { EarlierMessage(isQuestion: $0 == "user", text: text ?? "") }
        }
        return QuestionContext(question: question, domain: domain, businessContext: businessContext, history: history)
    }
}
