import Synchronization

/// Lets so many in at once and keeps the others waiting, in the order of their coming.
///
/// Swift Testing starts every test at once. Hundreds of databases or children on two cores only make each other late:
/// PostgreSQL runs out of connections, and time limits count the waiting for others.
package final class Turnstile: Sendable {
    /// Tests with a database of their own.
    package static let databases = Turnstile(places: 16)
    /// Tests with a recognizing child of their own.
    package static let recognizers = Turnstile(places: 4)

    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    package init(places: Int) {
        state = Mutex(State(free: places))
    }

    /// Runs `body` when there is a place.
    package func pass<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
    ) async throws -> R {
        await withCheckedContinuation(enter)
        defer { leave() }
        return try await body()
    }

    private func enter(_ continuation: CheckedContinuation<Void, Never>) {
        let isFree = state.withLock { state in
            guard state.free > 0 else {
                state.waiting.append(continuation)
                return false
            }
            state.free -= 1
            return true
        }
        if isFree { continuation.resume() }
    }

    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
