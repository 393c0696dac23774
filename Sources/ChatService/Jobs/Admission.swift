import Shared
import Synchronization

/// The bound on plain questions that this replica works on at once: over all (503) and for one user (429).
///
/// In memory, because a plain question is worked on by the replica that accepted it; it costs the hot path no
/// statement.
final class Admission: Sendable {
    private struct State {
        var all = 0
        var ofUser: [Int: Int] = [:]
    }

    private let state = Mutex(State())
    private let allMax: Int
    private let ofUserMax: Int

    init(allMax: Int, ofUserMax: Int) {
        self.allMax = allMax
        self.ofUserMax = ofUserMax
    }

    /// Lets one of the user's questions in; throws 429 `too_many_jobs` or 503 `queue_full` when there are too many.
    ///
    /// - Returns: what the question gives back with `leave` when it is through.
    func enter(userID: Int) throws(Problem) -> Ticket {
        let refusal: ProblemCode? = state.withLock { state in
            if state.ofUser[userID, default: 0] >= ofUserMax { return .tooManyJobs }
            if state.all >= allMax { return .queueFull }
            state.all += 1
            state.ofUser[userID, default: 0] += 1
            return nil
        }
        if let refusal { throw Problem(refusal) }
        return Ticket(admission: self, userID: userID)
    }

    /// A question that was let in.
    struct Ticket: Sendable {
        fileprivate let admission: Admission
        fileprivate let userID: Int

        /// To be called once.
        func leave() { admission.leave(userID) }
    }

    /// Checks the bound of the shared queue, which the rows are: for work that any replica may do.
    func check(waiting: (all: Int, ofUser: Int)) throws(Problem) {
        if waiting.ofUser >= ofUserMax { throw Problem(.tooManyJobs) }
        if waiting.all >= allMax { throw Problem(.queueFull) }
    }

    fileprivate func leave(_ userID: Int) {
        state.withLock { state in
            state.all -= 1
            let left = state.ofUser[userID, default: 1] - 1
            state.ofUser[userID] = left > 0 ? left : nil
        }
    }
}
