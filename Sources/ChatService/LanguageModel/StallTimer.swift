import NIOCore
import Synchronization

/// Tells when a model has been silent for too long; the limit changes while an answer goes on.
///
/// One timer of an event loop a call: it is armed anew only when the deadline comes nearer. A later deadline, the
/// usual case at every piece of an answer, is noticed when the timer fires.
final class StallTimer: Sendable {
    private struct State {
        var deadline = NIODeadline.distantFuture
        var alarm: Scheduled<Void>?
        var alarmTime = NIODeadline.distantFuture
        var hasStalled = false
        var isOver = false
    }

    private let eventLoop: any EventLoop
    private let state = Mutex(State())
    private let stall = AsyncStream.makeStream(of: Never.self)

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Whether the deadline passed.
    var hasStalled: Bool { state.withLock { $0.hasStalled } }

    /// From now on the model has this long.
    func allow(_ time: Duration) {
        setDeadline(.now() + TimeAmount(time))
    }

    /// The time that others take with the answer is not the model's.
    func pause() {
        setDeadline(.distantFuture)
    }

    /// Returns when the deadline has passed, or when the task is cancelled.
    func stalled() async {
        for await _ in stall.stream {}
    }

    /// Ends the timer.
    func stop() {
        let alarm = state.withLock { state in
            state.isOver = true
            return state.alarm
        }
        alarm?.cancel()
        stall.continuation.finish()
    }

    private func setDeadline(_ deadline: NIODeadline) {
        state.withLock { state in
            state.deadline = deadline
            if deadline < state.alarmTime { arm(&state) }
        }
    }

    private func arm(_ state: inout State) {
        state.alarm?.cancel()
        state.alarm = nil
        state.alarmTime = state.deadline
        guard !state.isOver, state.deadline < .distantFuture else { return }
        state.alarm = eventLoop.scheduleTask(deadline: state.deadline) { self.ring() }
    }

    private func ring() {
        let isLate = state.withLock { state in
            guard NIODeadline.now() < state.deadline else {
                state.hasStalled = !state.isOver
                return state.hasStalled
            }
            arm(&state)
            return false
        }
        if isLate { stall.continuation.finish() }
    }
}
