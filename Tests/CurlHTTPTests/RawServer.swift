import NIOCore
import NIOPosix

/// A server on a free port of 127.0.0.1 that answers every connection with the same bytes, whatever it is sent.
struct RawServer: Sendable {
    let port: Int
    var url: String { "http://127.0.0.1:\(port)/" }

    /// Runs a server while `body` runs. It writes `bytes` when a request has come and then closes the connection.
    static func run<Result: Sendable>(
        _ bytes: String, _ body: @Sendable (RawServer) async throws -> Result
    ) async throws -> Result {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let server = RawServer(port: listener.channel.localAddress?.port ?? 0)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await listener.executeThenClose { connections in
                    for try await connection in connections {
                        try await connection.executeThenClose { inbound, outbound in
                            for try await _ in inbound { break }
                            try await outbound.write(ByteBuffer(string: bytes))
                        }
                    }
                }
            }
            defer { group.cancelAll() }
            return try await body(server)
        }
    }
}
