import Synchronization

/// Wakes those who wait for work; rings that come while nobody waits are kept as one.
///
/// Memory is only the doorbell, the rows are the truth: whoever is woken looks at the database.
package final class Doorbell: Sendable {
    private struct State {
        var hasRung = false
        var nextID = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Wakes everybody who waits.
    package func ring() {
        let waiting = state.withLock { state in
            state.hasRung = state.waiting.isEmpty
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume() }
    }

    /// Returns at the next ring, at once if one was kept, or when the task is cancelled.
    package func wait() async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    if state.hasRung || Task.isCancelled {
                        state.hasRung = false
                        return true
                    }
                    state.waiting[id] = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
        }
    }
}
