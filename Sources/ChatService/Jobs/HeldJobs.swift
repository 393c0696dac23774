import Synchronization

/// Why work on a job has to stop although the job is not done.
enum StopReason: Sendable {
    /// The lease was lost, or the job was cancelled or deleted: somebody else decides about it now. Write nothing.
    case lost
    /// Give the job back: this replica is stopping, or its claim was answered too late to rely on.
    case handBack
}

/// The jobs that this replica works on: what the heartbeat renews, and how a cancel reaches the work.
final class HeldJobs: Sendable {
    private struct Held {
        let stop: Stop
        let lease: JobLease
        let isQueued: Bool
    }

    private struct State {
        var jobs: [JobFence: Held] = [:]
        /// Queued work is no longer taken; nothing is.
        var isYielding = false
        var isDraining = false
    }

    private let state = Mutex(State())

    /// The fences to renew.
    var fences: [JobFence] { state.withLock { Array($0.jobs.keys) } }

    /// Whether this replica takes no more work.
    var isDraining: Bool { state.withLock(\.isDraining) }

    /// Runs `work` while the job counts as held; when the job is stopped from outside, `work` is cancelled.
    ///
    /// - Parameters:
    ///   - isQueued: whether nobody waits in a request for it, so that it is handed back as soon as the replica stops.
    ///   - settle: says what became of it and ends the caller's part; until it returns the lease is kept.
    func hold<Result: Sendable, Settled: Sendable>(
        _ job: ClaimedJob, isQueued: Bool, work: @escaping @Sendable () async -> Result,
        settle: (HeldResult<Result>) async -> Settled
    ) async -> Settled {
        let held = Held(stop: Stop(), lease: job.lease, isQueued: isQueued)
        let isRefused = state.withLock { state in
            state.jobs[job.fence] = held
            return state.isDraining || (isQueued && state.isYielding)
        }
        defer { state.withLock { _ = $0.jobs.removeValue(forKey: job.fence) } }
        if isRefused || job.lease.isOver() { return await settle(.stopped(.handBack)) }
        return await settle(await race(work, against: held.stop))
    }

    private func race<Result: Sendable>(
        _ work: @escaping @Sendable () async -> Result, against stop: Stop
    ) async -> HeldResult<Result> {
        await withTaskGroup(of: HeldResult<Result>?.self) { group in
            group.addTask { .finished(await work()) }
            group.addTask { await stop.reason().map { .stopped($0) } }
            var outcome: HeldResult<Result>?
            while outcome == nil, let next = await group.next() { outcome = next }
            group.cancelAll()
            return outcome ?? .stopped(.lost)
        }
    }

    /// Stops the work on a job that this replica holds, if it does.
    func stop(jobID: Int, reason: StopReason) {
        let jobs = state.withLock { state in state.jobs.filter { $0.key.jobID == jobID }.map(\.value) }
        for job in jobs { job.stop.signal(reason) }
    }

    /// Stops the work on every held job that is not in `fences`.
    func stopAll(except fences: Set<JobFence>, among asked: [JobFence], reason: StopReason) {
        for fence in asked where !fences.contains(fence) {
            state.withLock { $0.jobs[fence] }?.stop.signal(reason)
        }
    }

    /// The heartbeat was heard for these; `asked` is before it was sent.
    func renew(_ fences: Set<JobFence>, asked: ContinuousClock.Instant) {
        let leases = state.withLock { state in fences.compactMap { state.jobs[$0]?.lease } }
        for lease in leases { lease.renew(asked: asked) }
    }

    /// Stops the work on every job whose lease is over, and returns which.
    func stopOverdue(at now: ContinuousClock.Instant) -> [JobFence] {
        let overdue = state.withLock { $0.jobs }.filter { $0.value.lease.isOver(at: now) }
        for job in overdue.values { job.stop.signal(.lost) }
        return Array(overdue.keys)
    }

    /// When the first lease is over, if none is renewed.
    var firstDeadline: ContinuousClock.Instant? { state.withLock { $0.jobs.values.map(\.lease.deadline).min() } }

    /// Hands queued work back, now and from now on.
    func yieldQueued() {
        let jobs = state.withLock { state in
            state.isYielding = true
            return state.jobs.values.filter(\.isQueued)
        }
        for job in jobs { job.stop.signal(.handBack) }
    }

    /// Hands everything back, now and from now on.
    func drain() {
        let jobs = state.withLock { state in
            state.isDraining = true
            return Array(state.jobs.values)
        }
        for job in jobs { job.stop.signal(.handBack) }
    }
}

/// What became of held work.
enum HeldResult<Result: Sendable>: Sendable {
    case finished(Result)
    case stopped(StopReason)
}

/// A signal that is given once and waited for once.
private final class Stop: Sendable {
    private let reasons: AsyncStream<StopReason>
    private let continuation: AsyncStream<StopReason>.Continuation

    init() {
        (reasons, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    func signal(_ reason: StopReason) {
        continuation.yield(reason)
    }

    /// Nil when the waiting task is cancelled first.
    func reason() async -> StopReason? {
        await reasons.first { _ in true }
    }
}
