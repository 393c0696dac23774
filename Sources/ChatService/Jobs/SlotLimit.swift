import DequeModule
import Synchronization

/// A bounded number of slots with a first-come queue: how many calls to the model run at once in this replica, how many
/// uploads are being stored.
final class SlotLimit: Sendable {
    private struct Waiter {
        let id: Int
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var free: Int
        var nextID = 0
        var waiters: Deque<Waiter> = []
    }

    private let state: Mutex<State>

    /// - Parameter slots: at least 1.
    init(slots: Int) {
        state = Mutex(State(free: slots))
    }

    /// Slots that nobody holds now.
    var free: Int { state.withLock(\.free) }

    /// Takes up to `most` free slots without waiting and returns how many.
    func takeFree(atMost most: Int) -> Int {
        state.withLock { state in
            let taken = min(state.free, most)
            state.free -= taken
            return taken
        }
    }

    /// Waits for a slot, in the order of the calls. Throws `CancellationError` when the task is cancelled first.
    func take() async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let isTaken = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    state.waiters.append(Waiter(id: id, continuation: continuation))
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: false)
        }
        if !isTaken { throw CancellationError() }
    }

    /// Gives a slot back; the longest waiting caller gets it.
    func give() {
        let waiter = state.withLock { state in
            let waiter = state.waiters.popFirst()
            if waiter == nil { state.free += 1 }
            return waiter
        }
        waiter?.continuation.resume(returning: true)
    }
}
