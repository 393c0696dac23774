import Synchronization

/// Whether the service is stopping.
package final class Drain: Sendable {
    private let draining = Atomic<Bool>(false)
    private let signal = AsyncStream.makeStream(of: Never.self)

    /// True from the first signal on: `/readyz` answers 503, and every answer ends its connection.
    package var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// Returns when it is, or when the task is cancelled. To be waited for by one task.
    package func begun() async {
        for await _ in signal.stream {}
    }

    func begin() {
        draining.store(true, ordering: .releasing)
        signal.continuation.finish()
    }
}
