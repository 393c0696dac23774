import CurlHTTP
package import Foundation
package import NIOCore
package import NIOHTTP1

/// An HTTP client that talks to one service, with or without a token.
package struct ServiceClient: Sendable {
    package let base: String
    package var token: String?

    /// The longest wait for a whole answer, or for the head of a stream.
    private static let answerTime = Duration.seconds(120)
    private static let answerBytesMax = 64 << 20

    package init(base: String, token: String? = nil) {
        self.base = base
        self.token = token
    }

    /// The same service as another user.
    package func with(token: String?) -> ServiceClient { ServiceClient(base: base, token: token) }

    /// Reads a whole answer of up to 64 MiB, within 120 seconds, as all calls here do.
    package func get(_ path: String, headers: HTTPHeaders = [:]) async throws -> Reply {
        try await send(.GET, path, headers: headers)
    }

    /// Sends `json` as the body.
    package func post(_ path: String, _ json: JSON = [:], headers: HTTPHeaders = [:]) async throws -> Reply {
        try await send(.POST, path, json: json, headers: headers)
    }

    /// Sends `json` with any method.
    package func send(
        _ method: HTTPMethod, _ path: String, json: JSON, headers: HTTPHeaders = [:]
    ) async throws -> Reply {
        var headers = headers
        headers.replaceOrAdd(name: "Content-Type", value: "application/json")
        return try await send(method, path, headers: headers, body: ByteBuffer(bytes: json.bytes))
    }

    /// Sends a form with files.
    package func post(_ path: String, _ form: MultipartForm, headers: HTTPHeaders = [:]) async throws -> Reply {
        var headers = headers
        headers.replaceOrAdd(name: "Content-Type", value: form.contentType)
        return try await send(.POST, path, headers: headers, body: form.body)
    }

    /// Sends any body, or none.
    package func send(
        _ method: HTTPMethod, _ path: String, headers: HTTPHeaders = [:], body: ByteBuffer? = nil
    ) async throws -> Reply {
        let response = TestTransport.send(request(method, path, headers, body))
        response.allow(Self.answerTime)
        let head = try await Self.head(of: response)
        var bytes = Data()
        while case .body(let piece)? = try await response.next() {
            bytes += piece
            guard bytes.count <= Self.answerBytesMax else { throw SuiteFault(description: "an answer over 64 MiB") }
        }
        return Reply(status: head.status, headers: head.headers, body: bytes)
    }

    /// Opens a stream of events with a form.
    package func events(_ form: MultipartForm, _ path: String) async throws -> (status: Int, events: EventStream) {
        try await events(.POST, path, ["Content-Type": form.contentType], form.body)
    }

    /// Opens a stream of events; it ends when the service ends it or the reader stops.
    package func events(
        _ method: HTTPMethod, _ path: String, json: JSON? = nil, headers: HTTPHeaders = [:]
    ) async throws -> (status: Int, events: EventStream) {
        var headers = headers
        if json != nil { headers.replaceOrAdd(name: "Content-Type", value: "application/json") }
        return try await events(method, path, headers, json.map { ByteBuffer(bytes: $0.bytes) })
    }

    private func events(
        _ method: HTTPMethod, _ path: String, _ headers: HTTPHeaders, _ body: ByteBuffer?
    ) async throws -> (status: Int, events: EventStream) {
        var headers = headers
        headers.replaceOrAdd(name: "Accept", value: "text/event-stream")
        let shared = SharedResponse(TestTransport.send(request(method, path, headers, body)))
        shared.response.allow(Self.answerTime)
        let head = try await Self.head(of: shared.response)
        shared.response.pauseDeadline()
        return (head.status, EventStream(body: shared, headers: head.headers))
    }

    private func request(
        _ method: HTTPMethod, _ path: String, _ headers: HTTPHeaders, _ body: ByteBuffer?
    ) -> HTTPClientRequest {
        var headers = headers
        if let token { headers.replaceOrAdd(name: "Authorization", value: "Bearer \(token)") }
        return HTTPClientRequest(
            method.rawValue, url: base + path, fields: headers.map { HTTPField($0.name, $0.value) },
            body: body.map { Array($0.readableBytesView) })
    }

    private static func head(
        of response: borrowing HTTPClientResponse
    ) async throws -> (status: Int, headers: HTTPHeaders) {
        guard case .head(let head)? = try await response.next() else { throw HTTPClientError.timedOut }
        return (head.status, HTTPHeaders(head.fields.map { ($0.name, $0.value) }))
    }
}

/// A whole answer.
package struct Reply: Sendable, CustomStringConvertible {
    package let status: Int
    package let headers: HTTPHeaders
    package let body: Data

    package init(status: Int, headers: HTTPHeaders, body: Data) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The body as JSON, null if it is none.
    package var json: JSON { (try? JSON(parsing: body)) ?? .null }
    package var text: String { String(decoding: body, as: UTF8.self) }
    /// The `code` of a problem answer.
    package var code: String? { json["code"].string }

    package var description: String { "\(status) \(text.prefix(2000))" }
}
