import Shared

/// A piece of an answer that is about to be written.
struct DeltaPiece: Sendable {
    let fence: JobFence
    let conversationID: Int
    /// In UTF-16 code units.
    let position: Int
    let text: String
}

extension PostgresDatabase {
    /// Stores pieces of several answers without waiting for the disk. A piece that is there already changes nothing;
    /// the first piece of a later attempt takes those of the earlier ones away.
    ///
    /// The share lock makes whoever ends a job wait for this statement, and then see its rows.
    ///
    /// - Returns: the jobs that were still their holder's.
    func insertDeltas(_ pieces: [DeltaPiece]) async throws -> Set<Int> {
        let rows = try await query(
            """
            with piece as (
                select j.id, j.attempt, j.conversation_id, j.answer_id, j.question_id, p.position, p.text
                from unnest(
                    \(pieces.map(\.fence.jobID))::bigint[], \(pieces.map(\.fence.attempt))::bigint[],
                    \(pieces.map(\.position))::bigint[], \(pieces.map(\.text))::text[]
                ) as p (job_id, attempt, position, text)
                join chat.jobs j on j.id = p.job_id and j.attempt = p.attempt
                for key share of j),
            earlier as (
                delete from chat.deltas d using piece
                where piece.attempt > 1 and piece.position = 0 and d.conversation_id = piece.conversation_id
                    and d.message_id = piece.answer_id and d.attempt < piece.attempt),
            inserted as (
                insert into chat.deltas (conversation_id, message_id, attempt, position, question_id, job_id, text)
                select conversation_id, answer_id, attempt, position, question_id, id, text from piece
                on conflict do nothing)
            select id from piece
            """, durability: .relaxed)
        return try Set(rows.map { try $0.decode(Int.self) })
    }

    /// Sweeps away pieces of jobs that are gone: of deleted conversations, and from writers that came late.
    func deleteAbandonedDeltas() async throws -> Int {
        try await query(
            "delete from chat.deltas d where not exists (select from chat.jobs j where j.id = d.job_id)"
        ).affectedRows
    }
}
