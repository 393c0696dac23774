import Synchronization

/// Why work on a job has to stop although the job is not done.
enum StopReason: Sendable {
    /// The lease was lost, or the job was cancelled or deleted: somebody else decides about it now. Write nothing.
    case lost
    /// This replica is stopping: give the job back.
    case draining
}

/// The jobs that this replica works on: what the heartbeat renews, and how a cancel reaches the work.
final class HeldJobs: Sendable {
    private struct State {
        var stops: [JobFence: Stop] = [:]
        var isDraining = false
    }

    private let state = Mutex(State())

    /// The fences to renew.
    var fences: [JobFence] { state.withLock { Array($0.stops.keys) } }

    /// Whether this replica takes no more work.
    var isDraining: Bool { state.withLock(\.isDraining) }

    /// Runs `work` while the job counts as held; when the job is stopped from outside, `work` is cancelled.
    ///
    /// - Parameter settle: says what became of it and ends the caller's part; until it returns the lease is kept.
    func hold<Result: Sendable, Settled: Sendable>(
        _ fence: JobFence, work: @escaping @Sendable () async -> Result,
        settle: (HeldResult<Result>) async -> Settled
    ) async -> Settled {
        let stop = Stop()
        let isDraining = state.withLock { state in
            state.stops[fence] = stop
            return state.isDraining
        }
        defer { state.withLock { _ = $0.stops.removeValue(forKey: fence) } }
        if isDraining { return await settle(.stopped(.draining)) }
        return await settle(await race(work, against: stop))
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
        let stops = state.withLock { state in state.stops.filter { $0.key.jobID == jobID }.map(\.value) }
        for stop in stops { stop.signal(reason) }
    }

    /// Stops the work on every held job that is not in `fences`.
    func stopAll(except fences: Set<JobFence>, among asked: [JobFence], reason: StopReason) {
        for fence in asked where !fences.contains(fence) {
            state.withLock { $0.stops[fence] }?.signal(reason)
        }
    }

    /// Stops everything, now and from now on.
    func drain() {
        let stops = state.withLock { state in
            state.isDraining = true
            return Array(state.stops.values)
        }
        for stop in stops { stop.signal(.draining) }
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
