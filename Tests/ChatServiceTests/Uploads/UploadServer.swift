import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import Shared
import TestSupport

@testable import ChatService

/// A real server on a free port whose one route reads uploads; what became of each one can be awaited.
struct UploadServer: Sendable {
    /// How the reading of one upload ended.
    enum Outcome: Sendable {
        case read(fields: [String: String], files: [SpooledFile])
        case failed(String)
    }

    let port: Int
    let spool: UploadSpool
    let outcomes: AsyncStream<Outcome>

    /// The files of this process's spool.
    func spooledFiles() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: spool.path) }

    /// Runs `body` against a server with a spool of its own.
    static func with(
        limits: UploadLimits = .init(), connection: HTTPLimits = .init(), maximumBytes: Int = 1 << 30,
        _ body: @Sendable (UploadServer) async throws -> Void
    ) async throws {
        try await withSpoolRoot { root in
            let spool = try UploadSpool(root: root, maximumBytes: maximumBytes)
            let (outcomes, sink) = AsyncStream<Outcome>.makeStream()
            let frame = HTTPFrame(
                name: "uploads", settings: HTTPSettings(), log: LogSettings(), limits: connection,
                logger: Logger(label: "uploads") { _ in SwiftLogNoOpLogHandler() })
            let router = frame.makeRouter()
            addRoute(to: router, reader: UploadReader(spool: spool, limits: limits), sink: sink)
            try await frame.application(router).test(.live) { client in
                let port = client.port ?? 0
                try await body(UploadServer(port: port, spool: spool, outcomes: outcomes))
            }
            await spool.close()
        }
    }

    private static func addRoute(
        to router: Router<ServiceContext>, reader: UploadReader, sink: AsyncStream<Outcome>.Continuation
    ) {
        router.post("upload") { request, context in
            do {
                let upload = try await reader.withUpload(of: request, context: context, filesRequired: true) { $0 }
                sink.yield(.read(fields: upload.fields, files: upload.files))
                return "\(upload.files.map(\.size))"
            } catch {
                sink.yield(.failed((error as? Problem)?.code.rawValue ?? "\(error)"))
                throw error
            }
        }
    }
}

/// A connection on which a test says byte by byte what a client sends.
struct RawConnection: Sendable {
    let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    static func with<R: Sendable>(
        port: Int, _ body: (inout Reader, NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws -> R
    ) async throws -> R {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var reader = Reader(iterator: inbound.makeAsyncIterator())
            return try await body(&reader, outbound)
        }
    }

    /// What the server has sent so far.
    struct Reader {
        var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        var text = ""

        /// Reads until `text` contains `mark`, or the server has closed; returns everything read so far.
        mutating func read(until mark: String) async throws -> String {
            while !text.contains(mark), let buffer = try await iterator.next() { text += String(buffer: buffer) }
            return text
        }
    }
}

/// The head of an upload's request.
func uploadHead(_ fields: [String], boundary: String = "b") -> ByteBuffer {
    let type =
        fields.contains { $0.hasPrefix("Content-Type") }
        ? [] : ["Content-Type: multipart/form-data; boundary=\(boundary)"]
    let lines = ["POST /upload HTTP/1.1", "Host: localhost"] + type + fields
    return ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n")
}
