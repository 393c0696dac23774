import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

extension ResponseBody {
    /// Calls `finish` once with the bytes written when the body was written to its end, or broke off, or was dropped
    /// because its client was gone before the first byte.
    mutating func whenWritten(_ finish: @escaping @Sendable (Int) -> Void) {
        let body = self
        let count = WrittenBytes(finish: finish)
        self = ResponseBody(contentLength: body.contentLength) { writer in
            defer { count.end() }
            try await body.write(CountingBodyWriter(base: writer, count: count))
        }
    }
}

/// How much of a streamed body has been written; shared, because a body consumes its writer.
private final class WrittenBytes: Sendable {
    private let count = Atomic<Int>(0)
    private let isEnded = Atomic<Bool>(false)
    private let finish: @Sendable (Int) -> Void

    init(finish: @escaping @Sendable (Int) -> Void) {
        self.finish = finish
    }

    deinit { end() }

    func end() {
        if !isEnded.exchange(true, ordering: .relaxed) { finish(count.load(ordering: .relaxed)) }
    }

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
