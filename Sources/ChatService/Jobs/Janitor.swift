import Logging
import Shared

/// Sweeps away what nobody needs any more, at start and every ten minutes: files of dead processes on this disk,
/// uploaded bytes of messages that ended long ago, pieces of answers without a job, and idempotency keys past their
/// day.
struct Janitor: Sendable {
    let database: PostgresDatabase
    let uploads: LocalUploads
    let logger: Logger
    /// Between two rounds.
    var interval: Duration = .seconds(600)

    /// How long a cancelled upload can be taken up again.
    static let keptHours = 24
    /// Idempotency keys that one statement deletes.
    static let keysAtOnce = 1000

    /// Runs until the task is cancelled.
    func run() async {
        repeat { await sweep() } while (try? await Task.sleep(for: interval)) != nil
    }

    /// One round.
    func sweep() async {
        await uploads.removeOrphans()
        do {
            let chunks = try await database.deleteAbandonedChunks(olderThanHours: Self.keptHours)
            let keys = try await deleteIdempotencyKeys()
            let deltas = try await database.deleteAbandonedDeltas()
            if chunks + keys + deltas > 0 {
                logger.info(
                    "swept",
                    metadata: [
                        "upload_chunks": "\(chunks)", "idempotency_keys": "\(keys)", "deltas": "\(deltas)",
                    ])
            }
        } catch {
            logger.warning("not swept", metadata: ["error": "\(error)"])
        }
    }

    /// In batches, so that no statement is long and no lock is held for long.
    private func deleteIdempotencyKeys() async throws -> Int {
        var all = 0
        while true {
            let count = try await database.deleteIdempotencyKeys(
                olderThanHours: IdempotencyKey.keptHours, limit: Self.keysAtOnce)
            all += count
            if count < Self.keysAtOnce || Task.isCancelled { return all }
        }
    }
}

extension PostgresQuerying {
    /// Deletes the bytes and pages of messages that ended without their text and are too old to be retried; they can
    /// then not be.
    func deleteAbandonedChunks(olderThanHours hours: Int) async throws -> Int {
        try await query(
            """
            with message as (
                select m.id from chat.messages m join chat.files f on f.message_id = m.id
                where m.status in ('failed', 'cancelled')
                    and m.created_at < clock_timestamp() - make_interval(hours => \(hours)::int)
                    and f.id in (select distinct file_id from chat.upload_chunks)),
            final as (
                update chat.messages set error_retryable = false
                where id in (select id from message) and status in ('failed', 'cancelled')
                returning id),
            pages as (
                delete from chat.pages where file_id in (
                    select f.id from chat.files f join final on f.message_id = final.id))
            delete from chat.upload_chunks where file_id in (
                select f.id from chat.files f join final on f.message_id = final.id)
            """
        ).affectedRows
    }
}
