import Synchronization

/// Watches the pace of one body against the clock.
final class PaceWatch: Sendable {
    private let pace: Mutex<UploadPace>

    init(_ limits: UploadPace.Limits) {
        pace = Mutex(UploadPace(limits: limits))
    }

    func beginWaiting() { pace.withLock { $0.beginWaiting(at: .now) } }

    func received(_ bytes: Int) { pace.withLock { $0.received(bytes, at: .now) } }

    /// Returns when the client has been waited for too long. Throws only when it is cancelled.
    func waitUntilTooSlow() async throws {
        while true {
            let deadline = pace.withLock { $0.deadline }
            if let deadline, deadline <= .now { return }
            // While nobody waits for the client there is no deadline; one is looked for again a second later.
            try await Task.sleep(until: deadline ?? .now + .seconds(1), clock: .continuous)
        }
    }
}
