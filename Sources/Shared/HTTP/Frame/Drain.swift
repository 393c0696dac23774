import Synchronization

/// Whether the service is stopping.
package final class Drain: Sendable {
    private struct State {
        var hasBegun = false
        var actions: [@Sendable () -> Void] = []
    }

    private let draining = Atomic<Bool>(false)
    private let signal = AsyncStream.makeStream(of: Never.self)
    private let state = Mutex(State())

    /// True from the first signal on: `/readyz` answers 503.
    package var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// Returns when it is, or when the task is cancelled. To be waited for by one task.
    package func begun() async {
        for await _ in signal.stream {}
    }

    /// Calls `action` at the first signal, at once if that has been: for answers that would never end by themselves.
    package func whenBegun(_ action: @escaping @Sendable () -> Void) {
        let hasBegun = state.withLock { state in
            if !state.hasBegun { state.actions.append(action) }
            return state.hasBegun
        }
        if hasBegun { action() }
    }

    func begin() {
        draining.store(true, ordering: .releasing)
        signal.continuation.finish()
        let actions = state.withLock { state in
            state.hasBegun = true
            defer { state.actions = [] }
            return state.actions
        }
        for action in actions { action() }
    }
}
