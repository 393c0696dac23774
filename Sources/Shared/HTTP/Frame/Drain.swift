import Synchronization

/// Whether the service is stopping.
package final class Drain: Sendable {
    private let draining = Atomic<Bool>(false)

    /// True from the first signal on: `/readyz` answers 503, and every answer ends its connection.
    package var isDraining: Bool { draining.load(ordering: .acquiring) }

    func begin() { draining.store(true, ordering: .releasing) }
}
