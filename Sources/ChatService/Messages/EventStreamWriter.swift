import HTTPTypes
import Hummingbird
import NIOCore
import Shared

/// Writes server-sent events (WHATWG HTML, section 9.2) as the body of an answer.
struct EventStreamWriter {
    /// Between two comments that keep a stream open through proxies; nginx waits for 60 s.
    static let pingInterval: Duration = .seconds(15)

    private var body: any ResponseBodyWriter

    fileprivate init(body: any ResponseBodyWriter) {
        self.body = body
    }

    /// Sends an event whose data is one JSON object; returns when the connection has taken it.
    mutating func send(_ event: StaticString, members: (inout JSONWriter) -> Void) async throws {
        var json = JSONWriter(capacity: 128)
        json.object { json in members(&json) }
        try await send(event, body: json.buffer)
    }

    /// Sends a comment, which readers skip: proxies do not close a silent stream, and a reader that is gone is noticed.
    mutating func sendPing() async throws {
        try await body.write(ByteBuffer(staticString: ": ping\n\n"))
    }

    /// Sends an event whose data is a JSON document on one line.
    mutating func send(_ event: StaticString, body document: ByteBuffer) async throws {
        var text = ByteBufferAllocator().buffer(capacity: document.readableBytes + 128)
        text.writeEvent(event, body: document)
        try await body.write(text)
    }

    /// Sends what was written by `writeEvent` and `writeEventStart`.
    mutating func send(events: ByteBuffer) async throws {
        try await body.write(events)
    }
}

extension ByteBuffer {
    /// Writes an event whose data is a JSON document on one line.
    ///
    /// - Parameter id: what the client sends back to go on after this event.
    mutating func writeEvent(_ event: StaticString, id: String? = nil, body document: ByteBuffer) {
        if let id { writeString("id: \(id)\n") }
        writeStaticString("event: ")
        writeStaticString(event)
        writeStaticString("\ndata: ")
        writeImmutableBuffer(document)
        writeStaticString("\n\n")
    }

    /// Opens a stream that is to be gone on with: how long to wait before that, in milliseconds, and from where.
    mutating func writeEventStart(id: String) {
        writeString("retry: 1000\nid: \(id)\n\n")
    }
}

extension Response {
    /// 200 with a stream of events. Proxies are asked not to hold events back.
    static func eventStream(_ write: @escaping @Sendable (EventStreamWriter) async throws -> Void) -> Response {
        var headers = HTTPFields()
        // With those that the frame and the server add: they are kept for as long as the stream lasts.
        headers.reserveCapacity(8)
        headers[.contentType] = "text/event-stream; charset=utf-8"
        headers[.cacheControl] = "no-store"
        headers[HTTPField.Name("X-Accel-Buffering")!] = "no"
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                try await write(EventStreamWriter(body: writer))
                try await writer.finish(nil)
            })
    }
}
