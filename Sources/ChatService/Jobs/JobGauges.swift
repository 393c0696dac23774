import Logging
import Metrics
import Shared

/// Tells the metrics how many jobs stand in each stage and state, over all replicas.
struct JobGauges: Sendable {
    let database: PostgresDatabase
    let logger: Logger

    static let interval: Duration = .seconds(10)

    /// Runs until the task is cancelled.
    func run() async {
        repeat { await refresh() } while (try? await Task.sleep(for: Self.interval)) != nil
    }

    private func refresh() async {
        do {
            let counts = try await database.countJobs()
            for stage in JobStage.allCases {
                for state in ["waiting", "running"] {
                    let count = counts.first { $0.stage == stage.rawValue && $0.state == state }?.count ?? 0
                    Gauge(label: "parley_jobs", dimensions: [("stage", stage.rawValue), ("state", state)]).record(count)
                }
            }
        } catch {
            logger.debug("jobs not counted", metadata: ["error": "\(error)"])
        }
    }
}
