import AsyncHTTPClient
package import Foundation
package import NIOCore
package import NIOHTTP1

/// An HTTP client that talks to one service, with or without a token.
package struct ServiceClient: Sendable {
    package let base: String
    package var token: String?

    /// Of the whole process. The shared client has eight connections to a server; a load needs as many as it has calls.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4000
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

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
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        request.headers = headers
        if let token { request.headers.replaceOrAdd(name: "Authorization", value: "Bearer \(token)") }
        if let body { request.body = .bytes(body) }
        let response = try await Self.http.execute(request, timeout: .seconds(120))
        let bytes = try await response.body.collect(upTo: 64 << 20)
        return Reply(status: Int(response.status.code), headers: response.headers, body: Data(bytes.readableBytesView))
    }

    /// Opens a stream of events with a form.
    package func events(_ form: MultipartForm, _ path: String) async throws -> (status: Int, events: EventStream) {
        var request = HTTPClientRequest(url: base + path)
        request.method = .POST
        request.headers = ["Accept": "text/event-stream", "Content-Type": form.contentType]
        if let token { request.headers.replaceOrAdd(name: "Authorization", value: "Bearer \(token)") }
        request.body = .bytes(form.body)
        let response = try await Self.http.execute(request, timeout: .seconds(120))
        return (Int(response.status.code), EventStream(body: response.body, headers: response.headers))
    }

    /// Opens a stream of events; it ends when the service ends it or the reader stops.
    package func events(
        _ method: HTTPMethod, _ path: String, json: JSON? = nil, headers: HTTPHeaders = [:]
    ) async throws -> (status: Int, events: EventStream) {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        request.headers = headers
        request.headers.replaceOrAdd(name: "Accept", value: "text/event-stream")
        if let token { request.headers.replaceOrAdd(name: "Authorization", value: "Bearer \(token)") }
        if let json {
            request.headers.replaceOrAdd(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: json.bytes))
        }
        let response = try await Self.http.execute(request, timeout: .seconds(120))
        return (Int(response.status.code), EventStream(body: response.body, headers: response.headers))
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
