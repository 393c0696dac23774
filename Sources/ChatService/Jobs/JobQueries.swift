import Foundation
import Shared

/// The life of a job in single statements. Every one that writes for a holder says `where id = … and attempt = …`: zero
/// rows mean that somebody else owns the job now, and the caller must stop and write nothing more.
extension PostgresQuerying {
    /// Claims up to `limit` jobs of one stage, by turn: those that wait and those whose holder has let the lease run
    /// out.
    ///
    /// The array makes PostgreSQL run the inner select once: as a join it might be run again, and lock further rows.
    ///
    /// - Parameter leaseSeconds: how long the claim holds without a heartbeat, on the database's clock.
    func claimJobs(stage: JobStage, owner: UUID, leaseSeconds: Int, limit: Int) async throws -> [ClaimedJob] {
        let asked = ContinuousClock.now
        let rows = try await query(
            """
            update chat.jobs set
                attempt = attempt + 1,
                owner = \(owner),
                lease_until = clock_timestamp() + make_interval(secs => \(Double(leaseSeconds)))
            where id = any (array(
                select id from chat.jobs
                where stage = \(stage.rawValue) and run_after <= clock_timestamp()
                    and (lease_until is null or lease_until < clock_timestamp())
                order by turn, id
                limit \(limit)
                for update skip locked))
            returning id, attempt, attempt - spared, subject_id, question_id, answer_id, conversation_id,
                extract(epoch from clock_timestamp() - created_at)::float8
            """)
        return try rows.map { row in
            let (id, attempt, tries, subject, question, answer, conversation, age) = try row.decode(
                Int.self, Int.self, Int.self, Int.self, Int.self, Int.self, Int.self, Double.self)
            return ClaimedJob(
                fence: JobFence(jobID: id, attempt: attempt),
                lease: JobLease(asked: asked, seconds: leaseSeconds), stage: stage, tries: tries, subjectID: subject,
                questionID: question, answerID: answer, conversationID: conversation, ageWhenClaimed: .seconds(age))
        }
    }

    /// Prolongs the leases of this replica's jobs and returns the fences that still hold.
    func renewLeases(of fences: [JobFence], leaseSeconds: Int) async throws -> Set<JobFence> {
        let rows = try await query(
            """
            update chat.jobs set lease_until = clock_timestamp() + make_interval(secs => \(Double(leaseSeconds)))
            from unnest(\(fences.map(\.jobID))::bigint[], \(fences.map(\.attempt))::bigint[]) as held (id, attempt)
            where jobs.id = held.id and jobs.attempt = held.attempt
            returning jobs.id, jobs.attempt
            """)
        return try Set(
            rows.map { row in
                let (id, attempt) = try row.decode(Int.self, Int.self)
                return JobFence(jobID: id, attempt: attempt)
            })
    }

    /// Gives a job back: another holder may claim it after `delay`.
    ///
    /// - Parameter isSpared: whether the claim was through no fault of the job and does not count as a try.
    /// - Returns: whether the job was still this holder's.
    @discardableResult
    func releaseJob(_ fence: JobFence, after delay: Duration, isSpared: Bool) async throws -> Bool {
        try await query(
            """
            with job as (
                update chat.jobs set
                    lease_until = null, owner = null,
                    spared = least(attempt, spared + \(isSpared ? 1 : 0)),
                    run_after = clock_timestamp() + make_interval(secs => \(delay / .seconds(1)))
                where id = \(fence.jobID) and attempt = \(fence.attempt)
                returning subject_id, conversation_id),
            conversation as (
                update chat.conversations set changes = changes + 1
                where id = (select conversation_id from job) returning changes)
            update chat.messages set change = c.changes from conversation c, job
            where messages.id = job.subject_id
            """
        ).affectedRows == 1
    }

    /// Tells readers of events that the progress of a message has changed: its job was claimed.
    ///
    /// - Returns: whether the job was still this holder's.
    func noteProgress(_ fence: JobFence) async throws -> Bool {
        try await query(
            """
            with job as (
                select subject_id, conversation_id from chat.jobs
                where id = \(fence.jobID) and attempt = \(fence.attempt) for no key update),
            conversation as (
                update chat.conversations set changes = changes + 1
                where id = (select conversation_id from job) returning changes)
            update chat.messages set change = c.changes from conversation c, job
            where messages.id = job.subject_id
            """
        ).affectedRows == 1
    }

    /// Stores the answer and ends the job, or changes nothing when the job is no longer this holder's.
    ///
    /// The answer keeps the id that was set aside for it; a regenerated answer, and one that was cancelled, has its row
    /// already and is filled in.
    ///
    /// - Parameters:
    ///   - usage: the contract's `usage` object as JSON text.
    ///   - hasDeltas: whether pieces of the answer may be stored; they go.
    /// - Returns: whether the answer was stored.
    func completeJob(
        _ fence: JobFence, answer: String, usage: String?, hasDeltas: Bool = true
    ) async throws -> Bool {
        let rows = try await query(
            """
            with job as (
                delete from chat.jobs where id = \(fence.jobID) and attempt = \(fence.attempt)
                returning subject_id, question_id, answer_id, generation, conversation_id),
            conversation as (
                update chat.conversations set
                    updated_at = clock_timestamp(), changes = changes + 2,
                    messages_count = messages_count + case when exists (
                        select from chat.messages where id = (select answer_id from job)) then 0 else 1 end
                where id = (select conversation_id from job)
                returning changes),
            answer as (
                insert into chat.messages (
                    id, conversation_id, role, status, content, reply_to, generation, usage, change)
                overriding system value
                select answer_id, conversation_id, 'assistant', 'completed', \(answer), question_id, generation,
                    \(usage)::text::json, c.changes - 1
                from job, conversation c
                on conflict (id) do update set
                    status = 'completed', content = excluded.content, usage = excluded.usage,
                    change = excluded.change, error_code = null, error_detail = null, error_retryable = null
                returning id),
            question as (
                update chat.messages set
                    status = 'completed', change = c.changes,
                    error_code = null, error_detail = null, error_retryable = null
                from job, conversation c where messages.id = job.question_id and messages.status <> 'completed'),
            \(sql: hasDeltas ? Self.removalOfDeltas : "")
            searched as (
                insert into chat.search_queue
                select unnest(array[question_id, answer_id]) from job)
            select id from answer
            """)
        return !rows.isEmpty
    }

    /// The pieces of the answer of `job`, in a statement that ends it.
    private static var removalOfDeltas: SQL {
        """
        deltas as (
            delete from chat.deltas d using job
            where d.conversation_id = job.conversation_id and d.message_id = job.answer_id),
        """
    }

    /// Ends the job without an answer and tells so at its message; uploaded bytes that nobody will read again go too.
    ///
    /// - Returns: whether the job was still this holder's.
    func failJob(_ fence: JobFence, with failure: JobFailure) async throws -> Bool {
        let rows = try await query(
            """
            with job as (
                delete from chat.jobs where id = \(fence.jobID) and attempt = \(fence.attempt)
                returning subject_id, question_id, answer_id, conversation_id),
            chunks as (
                delete from chat.upload_chunks where not \(failure.isRetryable)
                    and file_id in (select f.id from chat.files f join job on f.message_id = job.question_id)),
            pages as (
                delete from chat.pages where not \(failure.isRetryable)
                    and file_id in (select f.id from chat.files f join job on f.message_id = job.question_id)),
            \(sql: Self.removalOfDeltas)
            searched as (insert into chat.search_queue select question_id from job),
            conversation as (
                update chat.conversations set changes = changes + 1
                where id = (select conversation_id from job) returning changes)
            update chat.messages set
                status = 'failed', error_code = \(failure.code), error_detail = \(failure.detail),
                error_retryable = \(failure.isRetryable), change = c.changes
            from job, conversation c where messages.id = job.subject_id
            returning messages.id
            """)
        return !rows.isEmpty
    }

    /// Ends the jobs that wait for the model and were accepted longer ago than `age`. Their text is known and kept.
    ///
    /// - Returns: the conversation of each.
    func failWaitingAnswers(olderThan age: Duration, with failure: JobFailure) async throws -> [Int] {
        try await query(
            """
            with job as (
                delete from chat.jobs where id = any (array(
                    select id from chat.jobs
                    where stage = 'answer' and (lease_until is null or lease_until < clock_timestamp())
                        and created_at < clock_timestamp() - make_interval(secs => \(age / .seconds(1)))
                    order by id limit 100
                    for update skip locked))
                returning subject_id, question_id, answer_id, conversation_id),
            \(sql: Self.removalOfDeltas)
            searched as (insert into chat.search_queue select question_id from job),
            numbered as (
                select *, row_number() over (partition by conversation_id order by subject_id) as number from job),
            conversation as (
                update chat.conversations set changes = changes + ended.count
                from (select conversation_id, count(*) from job group by conversation_id) ended
                where conversations.id = ended.conversation_id
                returning conversations.id, changes, ended.count)
            update chat.messages set
                status = 'failed', error_code = \(failure.code), error_detail = \(failure.detail),
                error_retryable = \(failure.isRetryable), change = c.changes - c.count + numbered.number
            from numbered join conversation c on c.id = numbered.conversation_id
            where messages.id = numbered.subject_id
            returning c.id
            """
        ).map { try $0.decode(Int.self) }
    }

    /// The finished answer of that id, if it is stored.
    func storedAnswer(_ id: Int) async throws -> StoredAnswer? {
        try await read(
            "select content, usage::text from chat.messages where id = \(id) and status = 'completed'"
        ).first.map { row in
            let (text, usage) = try row.decode(String.self, String?.self)
            return StoredAnswer(messageID: id, text: text, usage: usage)
        }
    }

    /// How many jobs stand in each stage and state (`waiting`, `running`), for the metrics.
    func countJobs() async throws -> [(stage: String, state: String, count: Int)] {
        try await read(
            """
            select stage, case when lease_until > clock_timestamp() then 'running' else 'waiting' end, count(*)
            from chat.jobs group by 1, 2
            """
        ).map { row in
            let (stage, state, count) = try row.decode(String.self, String.self, Int.self)
            return (stage, state, count)
        }
    }

    /// How many jobs are unfinished, over all and for one user: what the queue bounds are held against.
    func countUnfinishedJobs(userID: Int) async throws -> (all: Int, ofUser: Int) {
        let rows = try await read(
            "select count(*), count(*) filter (where user_id = \(userID)) from chat.jobs")
        return try rows[0].decode(Int.self, Int.self)
    }

    /// How a question stands that another holder works on, or that was cancelled: its status and error.
    func questionStanding(_ id: Int) async throws -> QuestionStanding? {
        try await read(
            """
            select m.status, m.error_code, m.error_detail, a.id, a.content, a.usage::text
            from chat.messages m
            left join chat.messages a on a.reply_to = m.id and a.generation = 0 and a.status = 'completed'
            where m.id = \(id)
            """
        ).first.map { row in
            let (status, code, detail, answerID, text, usage) = try row.decode(
                String.self, String?.self, String?.self, Int?.self, String?.self, String?.self)
            let failure = code.map { JobFailure(code: $0, detail: detail ?? "", isRetryable: true) }
            let answer = answerID.map { StoredAnswer(messageID: $0, text: text ?? "", usage: usage) }
            return QuestionStanding(isProcessing: status == "processing", failure: failure, answer: answer)
        }
    }
}
