import CPostgres
import NIOConcurrencyHelpers

/// Tells the server to stop a statement. `PQcancel` opens a connection of its own and blocks, so it runs on a thread of
/// its own, never on the loop.
actor PostgresCanceller {
    private let executor = ThreadExecutor(name: "pg-cancel")
    /// Requests that wait; past the limit the server's own `statement_timeout` has to do.
    private let waiting = NIOLockedValueBox(0)
    private static let waitingMax = 64

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Sends the cancel request in the background.
    nonisolated func cancel(_ request: consuming PostgresCancelRequest) {
        let isAccepted = waiting.withLockedValue {
            guard $0 < Self.waitingMax else { return false }
            $0 += 1
            return true
        }
        guard isAccepted else { return }
        let box = PostgresCancelBox(request)
        Task { await self.send(box) }
    }

    private func send(_ box: PostgresCancelBox) {
        box.request.send()
        waiting.withLockedValue { $0 -= 1 }
    }
}

/// Carries the request into a task, which cannot capture a noncopyable value.
private final class PostgresCancelBox: Sendable {
    let request: PostgresCancelRequest

    init(_ request: consuming PostgresCancelRequest) {
        self.request = request
    }
}

/// Owns one `PGcancel`.
///
/// Unchecked: it is a copy of address and key, not tied to its connection, and `PQcancel` may be called on any thread
/// (libpq documentation, "Canceling Queries in Progress").
struct PostgresCancelRequest: ~Copyable, @unchecked Sendable {
    private let pointer: OpaquePointer

    init?(_ connection: OpaquePointer) {
        guard let pointer = PQgetCancel(connection) else { return nil }
        self.pointer = pointer
    }

    deinit { PQfreeCancel(pointer) }

    func send() {
        var message = [CChar](repeating: 0, count: 256)
        _ = PQcancel(pointer, &message, Int32(message.count))
    }
}
