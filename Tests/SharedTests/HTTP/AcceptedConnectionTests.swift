import NIOCore
import NIOPosix
import Shared
import TestSupport
import Testing

@Suite("Accepted connections")
struct AcceptedConnectionTests {
    private typealias Accepted = AcceptedConnection<ByteBuffer, ByteBuffer>

    private func listen(initialized: @escaping @Sendable () -> Void = {}) async throws -> NIOAsyncChannel<
        Accepted, Never
    > {
        try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "localhost", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    defer { initialized() }
                    return try Accepted(NIOAsyncChannel(wrappingChannelSynchronously: channel))
                }
            }
    }

    /// Listens until a connection has come, and stops without having looked at it.
    private func listenToNobody(_ ports: AsyncStream<Int>.Continuation) async throws {
        let (accepted, arrivals) = AsyncStream.makeStream(of: Void.self)
        let listener = try await listen { arrivals.yield() }
        ports.yield(try #require(listener.channel.localAddress?.port))
        try await listener.executeThenClose { _ in for await _ in accepted { break } }
    }

    @Test("what a stopping listener took and nobody serves is closed, and the process goes on", .timeLimit(.minutes(5)))
    func isClosedUnserved() async throws {
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        async let listening: Void = listenToNobody(continuation)
        for await port in ports {
            let received = try await RawConnection.open(port: port) { client in try await client.receiveAll() }
            #expect(received.isEmpty)
            break
        }
        try await listening
    }

    @Test("a served connection stays open for as long as it is served")
    func staysOpen() async throws {
        let listener = try await listen()
        let port = try #require(listener.channel.localAddress?.port)
        try await RawConnection.open(port: port) { client in
            try await client.send("one")
            try await listener.executeThenClose { connections in
                for try await connection in connections {
                    try await connection.serve { channel in
                        try await channel.executeThenClose { inbound, outbound in
                            for try await bytes in inbound {
                                try await outbound.write(bytes)
                                break
                            }
                        }
                    }
                    break
                }
            }
            #expect(try await client.receiveAll() == "one")
        }
    }
}
