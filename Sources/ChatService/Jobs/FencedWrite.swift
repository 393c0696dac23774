import Logging
import Shared

extension PostgresDatabase {
    /// Repeats a fenced write until PostgreSQL has decided about it, through outages of any length.
    ///
    /// The fence makes the repetition safe even when an outcome was unknown. It ends without an outcome when the task
    /// is cancelled, which the lease does from outside, and when PostgreSQL refuses the statement itself: that is a
    /// bug, and the lease hands the job on.
    ///
    /// - Returns: what `write` said, which is whether the job is still the holder's; false without an outcome.
    func persist(_ fence: JobFence, logger: Logger, _ write: () async throws -> Bool) async -> Bool {
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            do {
                return try await write()
            } catch {
                let isTransient = (error as? PostgresError)?.isWorthRepeating ?? false
                logger.log(
                    level: isTransient ? .warning : .error, "write about a job failed",
                    metadata: ["job": "\(fence.jobID)", "attempt": "\(fence.attempt)", "error": "\(error)"])
                guard isTransient else { return false }
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(2))
            }
        }
        return false
    }
}

extension PostgresError {
    /// Whether the same statement may succeed later: the server is away or busy, was too slow, or rolled the statement
    /// back because of others (SQLSTATE class 40: serialization failure, deadlock).
    var isWorthRepeating: Bool {
        isUnavailable || kind == .timeout || sqlState?.hasPrefix("40") == true
    }
}
