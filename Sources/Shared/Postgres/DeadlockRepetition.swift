/// Runs `work` again when PostgreSQL has rolled it back to end a deadlock (SQLSTATE 40P01), three times at the most.
///
/// For what takes many rows at once through foreign keys, whose order of locks nobody chooses, and for what it may
/// meet: deleting a conversation goes from it to its jobs; a holder that writes and a cancel go from the job to the
/// conversation. PostgreSQL ends one of the two after `deadlock_timeout` (1 s); right after it the same work finds the
/// locks free.
///
/// - Parameter work: one statement or one transaction; nothing of a try that failed may remain.
/// - Throws: what `work` throws; the deadlock when it happened in each try.
package func repeatingDeadlocks<R>(
    isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> sending R
) async throws -> sending R {
    for _ in 1...3 {
        do {
            return try await work()
        } catch let error as PostgresError where error.sqlState == "40P01" {
            continue
        }
    }
    return try await work()
}
