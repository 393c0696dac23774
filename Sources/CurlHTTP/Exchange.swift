import DequeModule
import Synchronization

/// A request and its response on the way. The loop's thread and the reading task share it.
///
/// The loop adds parts, and the reader takes them. At most `waitingBytesMax` bytes wait for the reader. At that bound
/// the loop pauses the transfer, so that TCP makes the server wait.
final class Exchange: Sendable {
    /// The result of one `next`.
    struct Step: Sendable {
        let result: Result<HTTPResponsePart?, HTTPClientError>
        /// The transfer was paused and may go on.
        var resumes = false
    }

    /// The bytes that may wait for the reader. A paused transfer resumes below half of it.
    static let waitingBytesMax = 256 * 1024
    /// The least that a piece counts, in bytes: an array has a header, and the allocator rounds up.
    private static let pieceCostMin = 64

    private struct State {
        var parts: Deque<HTTPResponsePart> = []
        var waitingBytes = 0
        var isPaused = false
        /// Set once. An error counts when the parts before it are read.
        var end: Result<Void, HTTPClientError>?
        var reader: CheckedContinuation<Step, Never>?
        var deadline: ContinuousClock.Instant?
        /// The time at which the loop checks the deadline, or nil if it does not watch this exchange.
        var alarm: ContinuousClock.Instant?
    }

    let request: HTTPClientRequest
    private let state = Mutex(State())

    init(_ request: HTTPClientRequest) { self.request = request }

    // MARK: The reader's side

    func next() async -> Step {
        await withCheckedContinuation { continuation in
            let step = state.withLock { state -> Step? in
                if let step = Self.take(&state) { return step }
                precondition(state.reader == nil, "two tasks read one response")
                state.reader = continuation
                return nil
            }
            if let step { continuation.resume(returning: step) }
        }
    }

    private static func take(_ state: inout State) -> Step? {
        if let part = state.parts.popFirst() {
            state.waitingBytes -= cost(part)
            guard state.isPaused, state.waitingBytes <= waitingBytesMax / 2 else { return Step(result: .success(part)) }
            state.isPaused = false
            return Step(result: .success(part), resumes: true)
        }
        return state.end.map { Step(result: $0.map { nil }) }
    }

    /// Returns true if the caller must post `.watch`, because the loop would check the deadline too late.
    func setDeadline(_ deadline: ContinuousClock.Instant?) -> Bool {
        state.withLock { state in
            state.deadline = deadline
            guard let deadline, state.end == nil, state.alarm.map({ deadline < $0 }) ?? true else { return false }
            state.alarm = deadline
            return true
        }
    }

    // MARK: Both sides

    /// Ends the exchange with an error and wakes its reader. Returns false if it had ended before. `cancelled` also
    /// drops the parts that were not read.
    func finish(_ error: HTTPClientError) -> Bool { finish(.failure(error)) }

    private func finish(_ end: Result<Void, HTTPClientError>) -> Bool {
        let (isFirst, waiting) = state.withLock { state -> (Bool, (CheckedContinuation<Step, Never>, Step)?) in
            let isFirst = state.end == nil
            if case .failure(.cancelled) = end {
                state.parts = []
                state.end = end
            } else if isFirst {
                state.end = end
            }
            guard let reader = state.reader, let step = Self.take(&state) else { return (isFirst, nil) }
            state.reader = nil
            return (isFirst, (reader, step))
        }
        if let (reader, step) = waiting { reader.resume(returning: step) }
        return isFirst
    }

    // MARK: The loop's side

    var hasEnded: Bool { state.withLock { $0.end != nil } }

    /// Ends the exchange: the whole response has arrived.
    func complete() { _ = finish(.success(())) }

    /// Hands a part to the reader. Returns false if too much waits already: nothing was taken, and the reader posts
    /// `.resume` later.
    func add(_ part: HTTPResponsePart) -> Bool {
        let (isTaken, waiting) = state.withLock { state -> (Bool, (CheckedContinuation<Step, Never>, Step)?) in
            guard state.end == nil else { return (true, nil) }
            guard state.waitingBytes < Self.waitingBytesMax else {
                state.isPaused = true
                return (false, nil)
            }
            state.parts.append(part)
            state.waitingBytes += Self.cost(part)
            guard let reader = state.reader, let step = Self.take(&state) else { return (true, nil) }
            state.reader = nil
            return (true, (reader, step))
        }
        if let (reader, step) = waiting { reader.resume(returning: step) }
        return isTaken
    }

    /// Ends the exchange if its deadline has passed. Returns when to look again, or nil if there is nothing to watch.
    func checkDeadline(_ now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let (next, isOver) = state.withLock { state -> (ContinuousClock.Instant?, Bool) in
            guard state.end == nil, let deadline = state.deadline else {
                state.alarm = nil
                return (nil, false)
            }
            state.alarm = deadline
            return (deadline, deadline <= now)
        }
        guard isOver else { return next }
        _ = finish(.timedOut)
        return nil
    }

    private static func cost(_ part: HTTPResponsePart) -> Int {
        switch part {
        case .head: 0
        case .body(let bytes): max(bytes.count, pieceCostMin)
        }
    }
}
