import Metrics
import ServiceLifecycle

/// Tells the metrics how the connections of a pool are used, every five seconds.
package struct PostgresGauges: Service {
    private let database: PostgresDatabase

    package init(database: PostgresDatabase) {
        self.database = database
    }

    /// Runs until graceful shutdown or cancellation.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat { refresh() } while (try? await Task.sleep(for: .seconds(5))) != nil
        }
    }

    private func refresh() {
        let statistics = database.statistics
        let states = [
            ("open", statistics.open), ("idle", statistics.idle), ("connecting", statistics.connecting),
        ]
        for (state, count) in states {
            Gauge(label: "parley_database_connections", dimensions: [("state", state)]).record(count)
        }
        Gauge(label: "parley_database_waiters").record(statistics.waiting)
    }
}
