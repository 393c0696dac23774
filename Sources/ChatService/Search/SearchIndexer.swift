import Logging
import ServiceLifecycle
import Shared

/// Puts the words of final messages into the index of the search, a moment after they were stored: parsing them is more
/// work than storing them, and nobody should wait for it. Every replica runs one; the queue is theirs together.
struct SearchIndexer: Service {
    let database: PostgresDatabase
    let logger: Logger
    /// Between two looks at an empty queue.
    var interval: Duration = .seconds(1)

    /// Entries that are taken at once. A message takes PostgreSQL about 0.1 ms; a pause of nine times as long as the
    /// work follows, so that under load, or with all messages after the migration, it takes a tenth of a core.
    static let batch = 100

    /// Works until the service stops.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let start = ContinuousClock.now
                let count = await index()
                let work = ContinuousClock.now - start
                try? await Task.sleep(for: count < Self.batch ? interval : work * 9)
            }
        }
    }

    private func index() async -> Int {
        do {
            return try await database.indexQueuedMessages(limit: Self.batch)
        } catch {
            logger.debug("messages not indexed", metadata: ["error": "\(error)"])
            return 0
        }
    }
}
