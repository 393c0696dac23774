import NIOCore
import NIOPosix
import Shared
import Synchronization

/// Stands between one replica and PostgreSQL on a port of 127.0.0.1, and passes bytes on, or does not.
final class DatabaseProxy: Sendable {
    private struct State {
        var connections: [ObjectIdentifier: [any Channel]] = [:]
    }

    private typealias Side = NIOAsyncChannel<ByteBuffer, ByteBuffer>
    private typealias Accepted = AcceptedConnection<ByteBuffer, ByteBuffer>

    let port: Int
    private let target: Int
    private let gate = Gate()
    private let state = Mutex(State())

    private init(port: Int, target: Int) {
        self.port = port
        self.target = target
    }

    /// Runs a proxy in front of a port of this machine while `body` runs.
    static func run<R>(to target: Int, _ body: (DatabaseProxy) async throws -> R) async throws -> R {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 256)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture { try Accepted(Side(wrappingChannelSynchronously: channel)) }
            }
        let proxy = DatabaseProxy(port: listener.channel.localAddress?.port ?? 0, target: target)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await proxy.accept(listener) }
            defer { group.cancelAll() }
            return try await body(proxy)
        }
    }

    /// Ends every connection that is open now.
    func cut() {
        let all = state.withLock { Array($0.connections.values.joined()) }
        for channel in all { channel.close(promise: nil) }
    }

    /// Holds every byte back, in both directions, until `resume`; new connections are taken and hear nothing.
    func hold() { gate.close() }

    /// Passes on what was held back.
    func resume() { gate.open() }

    private func accept(_ listener: NIOAsyncChannel<Accepted, Never>) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            try await listener.executeThenClose { sides in
                for try await side in sides {
                    // Whatever ends a connection ends only that one.
                    group.addTask { try? await side.serve { try await self.join($0) } }
                }
            }
        }
    }

    private func join(_ near: Side) async throws {
        try await near.executeThenClose { fromNear, toNear in
            await gate.pass()
            let far = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connect(host: "127.0.0.1", port: target) { channel in
                    channel.eventLoop.makeCompletedFuture { try Side(wrappingChannelSynchronously: channel) }
                }
            let id = ObjectIdentifier(near.channel)
            state.withLock { $0.connections[id] = [near.channel, far.channel] }
            defer { state.withLock { _ = $0.connections.removeValue(forKey: id) } }
            try await far.executeThenClose { fromFar, toFar in
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { try? await self.copy(fromNear, to: toFar) }
                    group.addTask { try? await self.copy(fromFar, to: toNear) }
                    await group.next()
                    group.cancelAll()
                }
            }
        }
    }

    private func copy(
        _ source: NIOAsyncChannelInboundStream<ByteBuffer>, to target: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        for try await bytes in source {
            await gate.pass()
            try await target.write(bytes)
        }
    }
}

/// Lets everybody pass while it is open.
private final class Gate: Sendable {
    private struct State {
        var isClosed = false
        var waiting: [AsyncStream<Never>.Continuation] = []
    }

    private let state = Mutex(State())

    func close() { state.withLock { $0.isClosed = true } }

    func open() {
        let waiting = state.withLock { state in
            state.isClosed = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.finish() }
    }

    /// Returns when the gate is open, or when the task is cancelled.
    func pass() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
        state.withLock { state in
            if state.isClosed { state.waiting.append(continuation) } else { continuation.finish() }
        }
        for await _ in stream {}
    }
}
