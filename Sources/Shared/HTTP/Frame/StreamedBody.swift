import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

extension ResponseBody {
    /// Calls `finish` with the bytes written when the body has been, or could not be, written to its end.
    mutating func whenWritten(_ finish: @escaping @Sendable (Int) -> Void) {
        let body = self
        self = ResponseBody(contentLength: body.contentLength) { writer in
            let count = WrittenBytes()
            defer { finish(count.load) }
            try await body.write(CountingBodyWriter(base: writer, count: count))
        }
    }
}

/// How much of a streamed body has been written; shared, because a body consumes its writer.
private final class WrittenBytes: Sendable {
    private let count = Atomic<Int>(0)
    var load: Int { count.load(ordering: .relaxed) }
    func add(_ bytes: Int) { count.wrappingAdd(bytes, ordering: .relaxed) }
}

private struct CountingBodyWriter: ResponseBodyWriter {
    var base: any ResponseBodyWriter
    let count: WrittenBytes

    mutating func write(_ buffer: ByteBuffer) async throws {
        count.add(buffer.readableBytes)
        try await base.write(buffer)
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        try await base.finish(trailingHeaders)
    }
}
