import Foundation
import NIOCore
import NIOPosix

/// A TCP connection that says exactly what a test wants it to say.
package struct RawConnection {
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var received = ""
    /// Whether the server has ended its side.
    package private(set) var isEnded = false

    /// Runs `body` with a connection to a port of this machine.
    package static func open<R: Sendable>(
        port: Int, _ body: @Sendable (inout RawConnection) async throws -> R
    ) async throws -> R {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "localhost", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true)
                    )
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var connection = RawConnection(outbound: outbound, inbound: inbound.makeAsyncIterator())
            return try await body(&connection)
        }
    }

    private init(
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    ) {
        self.outbound = outbound
        self.inbound = inbound
    }

    /// Sends these bytes and nothing else.
    package func send(_ text: String) async throws {
        try await outbound.write(ByteBuffer(string: text))
    }

    /// Sends these bytes, which need not be text.
    package func send(_ bytes: [UInt8]) async throws {
        try await outbound.write(ByteBuffer(bytes: bytes))
    }

    /// Everything received from the last call on, up to and with `end`, or to the end of the connection.
    package mutating func receive(through end: String) async throws -> String {
        while true {
            if let range = received.range(of: end) {
                defer { received = String(received[range.upperBound...]) }
                return String(received[..<range.upperBound])
            }
            guard let part = try? await inbound.next() else {
                isEnded = true
                defer { received = "" }
                return received
            }
            received += String(buffer: part)
        }
    }

    /// Everything up to the end of the connection.
    package mutating func receiveAll() async throws -> String {
        try await receive(through: "\u{0}never")
    }
}
