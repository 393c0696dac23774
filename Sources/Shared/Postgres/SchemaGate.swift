import NIOConcurrencyHelpers
package import ServiceLifecycle

/// Keeps services waiting that use tables, until the tables are there: a service group starts its services before
/// anything migrates the database.
package final class SchemaGate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [AsyncStream<Never>.Continuation] = []
    }

    private let state = NIOLockedValueBox(State())

    package init() {}

    /// Lets everybody go on, now and from now on.
    package func open() {
        let waiting = state.withLockedValue { state in
            defer { state = State(isOpen: true) }
            return state.waiting
        }
        for continuation in waiting { continuation.finish() }
    }

    /// The service, begun when the gate opens; also when the group stops before that, as a service may have something
    /// to put away.
    package func behind(_ service: some Service) -> any Service { Behind(gate: self, service: service) }

    private func opened() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
        let isOpen = state.withLockedValue { state in
            if !state.isOpen { state.waiting.append(continuation) }
            return state.isOpen
        }
        if isOpen { return }
        for await _ in stream {}
    }

    private struct Behind<Waiting: Service>: Service {
        let gate: SchemaGate
        let service: Waiting

        func run() async throws {
            await cancelWhenGracefulShutdown { await gate.opened() }
            try await service.run()
        }
    }
}
