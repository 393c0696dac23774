import Logging
import Shared

/// The heartbeat of a replica: prolongs the leases of what it holds, and stops what it can no longer prolong.
extension JobPool {
    /// Renews every third of the lease, on the database's clock. Runs until the task is cancelled.
    ///
    /// A try that has no answer when the next one is due is given up: a database that hangs must not swallow the
    /// heartbeats that would come after it recovers.
    func keepLeases() async {
        let third = Duration.seconds(settings.leaseSeconds) / 3
        let clock = ContinuousClock()
        var next = clock.now + third
        while (try? await clock.sleep(until: next)) != nil {
            // After a sleep of the machine or of this process the beats that were missed are not made up for.
            next = max(next, clock.now) + third
            await renewLeases(within: third * 9 / 10)
        }
    }

    private func renewLeases(within limit: Duration) async {
        let fences = held.fences
        guard !fences.isEmpty else { return }
        let asked = ContinuousClock.now
        do {
            let live = try await withThrowingTaskGroup(of: Set<JobFence>?.self) { group in
                group.addTask {
                    try await self.database.renewLeases(of: fences, leaseSeconds: self.settings.leaseSeconds)
                }
                group.addTask {
                    try await Task.sleep(for: limit)
                    return nil
                }
                defer { group.cancelAll() }
                return try await group.next() ?? nil
            }
            guard let live else { throw HeartbeatUnheard(limit: limit) }
            held.renew(live, asked: asked)
            held.stopAll(except: live, among: fences, reason: .lost)
        } catch {
            logger.warning("leases not renewed", metadata: ["jobs": "\(fences.count)", "error": "\(error)"])
        }
    }

    /// Stops what was not renewed, before others may start it. Asks nobody: not the database, which may hang, and not
    /// the time of day, which may jump. Runs until the task is cancelled.
    ///
    /// It looks at least twelve times a lease, and first of all when the process wakes up from having been stopped.
    func watchLeases() async {
        let clock = ContinuousClock()
        let pause = Duration.seconds(settings.leaseSeconds) / 12
        while (try? await clock.sleep(until: min(held.firstDeadline ?? .now + pause, .now + pause))) != nil {
            let stopped = held.stopOverdue(at: clock.now)
            guard !stopped.isEmpty else { continue }
            let jobs = stopped.map { "\($0.jobID)" }.joined(separator: " ")
            logger.warning("leases ran out, their work is stopped", metadata: ["jobs": "\(jobs)"])
            // Their work ends now, and they are no longer held; not looked at again before it had the time to.
            try? await clock.sleep(for: pause / 4)
        }
    }
}

/// PostgreSQL has not answered a heartbeat in time.
private struct HeartbeatUnheard: Error {
    let limit: Duration
}
