import Shared
import Synchronization

/// The bounds of uploads that wait for recognition: in jobs and in bytes, over all (503) and for one user (429).
///
/// What was accepted is counted by the rows, which all replicas share; what this replica is taking in at the moment is
/// counted here, from the look at the rows to the commit. So a flood overshoots a bound by no more than what the other
/// replicas take in at the same moment.
final class UploadAdmission: Sendable {
    /// Bytes of waiting uploads for each job that may wait: with the 1,000 jobs of the default, 4 GiB in
    /// `chat.upload_chunks` and on the spools. Scans have between 0.1 and 5 MiB.
    static let bytesPerJob = 4 * 1024 * 1024
    /// Bytes that may wait however few jobs may: two requests of the largest size, so that a small number of jobs is
    /// not cut down to fewer by files of ordinary sizes.
    static let bytesMin = 100 * 1024 * 1024

    /// Jobs and the bytes of their files.
    struct Load: Sendable, Equatable {
        var jobs = 0
        var bytes = 0
    }

    private struct State {
        var all = Load()
        var ofUser: [Int: Load] = [:]
    }

    private let state = Mutex(State())
    private let allMax: Load
    private let ofUserMax: Load

    init(jobsMax: Int, jobsOfUserMax: Int) {
        allMax = Load(jobs: jobsMax, bytes: max(jobsMax * Self.bytesPerJob, Self.bytesMin))
        ofUserMax = Load(jobs: jobsOfUserMax, bytes: max(jobsOfUserMax * Self.bytesPerJob, Self.bytesMin))
    }

    /// Lets a body in before it is read; 429 `too_many_jobs` or 503 `queue_full` when too much waits. While nothing
    /// waits, a request of any size that the contract allows is let in.
    ///
    /// - Parameters:
    ///   - bytes: what the body says it has.
    ///   - all: what waits by the rows; `ofUser`: of that, the user's.
    func enter(userID: Int, bytes: Int, all: Load, ofUser: Load) throws(Problem) -> Ticket {
        let refusal: ProblemCode? = state.withLock { state in
            let mine = state.ofUser[userID, default: Load()]
            if !(ofUser + mine).hasRoom(for: bytes, within: ofUserMax) { return .tooManyJobs }
            if !(all + state.all).hasRoom(for: bytes, within: allMax) { return .queueFull }
            state.all = state.all + Load(jobs: 1, bytes: bytes)
            state.ofUser[userID] = mine + Load(jobs: 1, bytes: bytes)
            return nil
        }
        if let refusal { throw Problem(refusal) }
        return Ticket(admission: self, userID: userID, bytes: bytes)
    }

    /// A body that was let in.
    struct Ticket: Sendable {
        fileprivate let admission: UploadAdmission
        fileprivate let userID: Int
        fileprivate let bytes: Int

        /// To be called once, when the rows count the upload or it has come to nothing.
        func leave() { admission.leave(userID, Load(jobs: -1, bytes: -bytes)) }
    }

    private func leave(_ userID: Int, _ load: Load) {
        state.withLock { state in
            state.all = state.all + load
            let left = state.ofUser[userID, default: Load()] + load
            state.ofUser[userID] = left == Load() ? nil : left
        }
    }
}

extension UploadAdmission.Load {
    fileprivate static func + (one: Self, other: Self) -> Self {
        Self(jobs: one.jobs + other.jobs, bytes: one.bytes + other.bytes)
    }

    fileprivate func hasRoom(for more: Int, within bound: Self) -> Bool {
        jobs < bound.jobs && (bytes == 0 || bytes + more <= bound.bytes)
    }
}
