import NIOConcurrencyHelpers

/// The one answer that somebody waits for: given by the loop or by cancellation, whichever comes first.
///
/// The answer lies under the lock and the continuation only wakes: the thread sanitizer sees the lock, but not how a
/// continuation that is resumed before it suspends hands a value over.
final class PostgresReply<Value: Sendable>: Sendable {
    private struct State {
        var answer: Result<Value, PostgresError>?
        var continuation: CheckedContinuation<Void, Never>?
        var isSent = false
    }

    private let state = NIOLockedValueBox(State())

    /// Waits for the answer. `start` hands the work over and is false if nobody takes it; `abandon` tells of a
    /// cancellation that came first.
    func wait(start: () -> Bool, abandon: @Sendable () -> Void) async throws -> Value {
        await withTaskCancellationHandler {
            await suspend(start: start)
        } onCancel: {
            if cancel() { abandon() }
        }
        return try taken()
    }

    /// As `wait`, but a cancellation of the task does not end it.
    func waitUncancelled(start: () -> Bool) async throws -> Value {
        await suspend(start: start)
        return try taken()
    }

    /// Notes that the work goes to the server now. False if nobody waits for it any more.
    func claim() -> Bool {
        state.withLockedValue {
            if $0.answer == nil { $0.isSent = true }
            return $0.answer == nil
        }
    }

    /// Gives the answer; the first one counts.
    func settle(_ answer: Result<Value, PostgresError>) {
        let continuation = state.withLockedValue {
            $0.answer = $0.answer ?? answer
            return $0.continuation.take()
        }
        continuation?.resume()
    }

    var isSettled: Bool { state.withLockedValue { $0.answer != nil } }

    private func suspend(start: () -> Bool) async {
        await withCheckedContinuation { continuation in
            guard arm(continuation) else { return continuation.resume() }
            if !start() { settle(.failure(PostgresError(.closed, "the database client is closed"))) }
        }
    }

    private func arm(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        state.withLockedValue {
            guard $0.answer == nil else { return false }
            $0.continuation = continuation
            return true
        }
    }

    /// True if the cancellation came before any answer, and after the work was handed over.
    private func cancel() -> Bool {
        let (continuation, isFirst) = state.withLockedValue { state in
            let isFirst = state.answer == nil
            let error = PostgresError(.cancelled, "the task was cancelled", outcomeUnknown: state.isSent)
            state.answer = state.answer ?? .failure(error)
            return (state.continuation.take(), isFirst)
        }
        continuation?.resume()
        return isFirst && continuation != nil
    }

    private func taken() throws -> Value {
        guard let answer = state.withLockedValue({ $0.answer }) else { preconditionFailure("woken without an answer") }
        return try answer.get()
    }
}
