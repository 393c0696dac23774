import Logging
import Shared

/// The heartbeat of a replica: prolongs the leases of what it holds, and stops what it can no longer prolong.
extension JobPool {
    /// Runs until the task is cancelled.
    ///
    /// Renewal every third of the lease, on the database's clock. When it cannot renew, the replica stops the work on
    /// its own, monotonic clock before others may start: after two thirds of a lease since the last renewal was *sent*.
    func keepLeases() async {
        let lease = Duration.seconds(settings.leaseSeconds)
        let clock = ContinuousClock()
        var renewed = clock.now
        while (try? await clock.sleep(for: lease / 3)) != nil {
            let fences = held.fences
            let sent = clock.now
            do {
                guard !fences.isEmpty else {
                    renewed = sent
                    continue
                }
                let live = try await database.renewLeases(of: fences, leaseSeconds: settings.leaseSeconds)
                renewed = sent
                held.stopAll(except: live, among: fences, reason: .lost)
            } catch {
                logger.warning("leases not renewed", metadata: ["jobs": "\(fences.count)", "error": "\(error)"])
                if clock.now - renewed > lease * 2 / 3 {
                    held.stopAll(except: [], among: fences, reason: .lost)
                }
            }
        }
    }
}
