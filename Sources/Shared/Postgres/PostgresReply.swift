import Synchronization

/// The one answer that somebody waits for: given by the loop or by cancellation, whichever comes first.
final class PostgresReply<Value: Sendable>: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Value, any Error>?
        var isSettled = false
        var isSent = false
    }

    private let state = Mutex(State())

    /// Waits for the answer. `start` hands the work over; `abandon` tells of a cancellation that came first.
    func wait(
        start: () -> Bool, abandon: @Sendable () -> Void
    ) async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard arm(continuation) else { return continuation.resume(throwing: Self.cancelled(isSent: false)) }
                if !start() { settle(.failure(PostgresError(.closed, "the database client is closed"))) }
            }
        } onCancel: {
            if cancel() { abandon() }
        }
    }

    /// As `wait`, but a cancellation of the task does not end it.
    func waitUncancelled(start: () -> Bool) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            guard arm(continuation) else { return }
            if !start() { settle(.failure(PostgresError(.closed, "the database client is closed"))) }
        }
    }

    /// Notes that the work goes to the server now. False if nobody waits for it any more.
    func claim() -> Bool {
        state.withLock {
            if !$0.isSettled { $0.isSent = true }
            return !$0.isSettled
        }
    }

    /// Gives the answer; the first one counts.
    func settle(_ result: sending Result<Value, PostgresError>) {
        let continuation = state.withLock {
            $0.isSettled = true
            return $0.continuation.take()
        }
        guard let continuation else { return }
        switch result {
        case .success(let value): continuation.resume(returning: value)
        case .failure(let error): continuation.resume(throwing: error)
        }
    }

    var isSettled: Bool { state.withLock { $0.isSettled } }

    private func arm(_ continuation: CheckedContinuation<Value, any Error>) -> Bool {
        state.withLock {
            guard !$0.isSettled else { return false }
            $0.continuation = continuation
            return true
        }
    }

    private func cancel() -> Bool {
        let (continuation, isSent, isFirst) = state.withLock {
            let isFirst = !$0.isSettled
            $0.isSettled = true
            return ($0.continuation.take(), $0.isSent, isFirst)
        }
        continuation?.resume(throwing: Self.cancelled(isSent: isSent))
        return isFirst && continuation != nil
    }

    private static func cancelled(isSent: Bool) -> PostgresError {
        PostgresError(.cancelled, "the task was cancelled", outcomeUnknown: isSent)
    }
}
