import CurlHTTP
package import HTTPTypes
package import Hummingbird
import HummingbirdCore
import Logging
package import NIOCore
import NIOEmbedded
import ServiceLifecycle
import Synchronization

/// The way a test reaches an application.
package enum TestingSetup: Sendable {
    /// Calls the responder: no socket, and no client address.
    case router
    /// Sends requests over a socket of 127.0.0.1.
    case live
}

/// A whole response of an application under test.
package struct TestResponse: Sendable {
    package var status: HTTPResponse.Status
    package var headers: HTTPFields
    package var body: ByteBuffer
}

/// Sends requests to an application under test.
package struct TestClient: Sendable {
    /// The port of a `live` application, else nil.
    package let port: Int?
    fileprivate let send: @Sendable (HTTPRequest, ByteBuffer?) async throws -> TestResponse

    /// Sends a request and reads the whole response.
    package func execute(
        uri: String, method: HTTPRequest.Method, headers: HTTPFields = [:], body: ByteBuffer? = nil
    ) async throws -> TestResponse {
        let request = HTTPRequest(
            method: method, scheme: "http", authority: "localhost", path: uri, headerFields: headers)
        return try await send(request, body)
    }
}

extension ApplicationProtocol where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    /// Runs the application with its services while `body` runs, and stops it in order.
    package func test<Result: Sendable>(
        _ setup: TestingSetup, _ body: @Sendable (TestClient) async throws -> Result
    ) async throws -> Result {
        let (starts, start) = AsyncStream.makeStream(of: Int?.self)
        let service: any Service =
            switch setup {
            case .router: RouterOnly(application: self) { start.yield(nil) }
            case .live: OnFreePort(application: self) { start.yield($0) }
            }
        let group = ServiceGroup(configuration: .init(services: [service], logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { start.finish() }
                try await group.run()
            }
            var started = starts.makeAsyncIterator()
            guard let port = await started.next() else {
                try await tasks.waitForAll()
                throw SuiteFault(description: "the application ended before it started")
            }
            do {
                let result = try await body(try await client(port: port))
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                return result
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
        }
    }

    private func client(port: Int?) async throws -> TestClient {
        if let port {
            return TestClient(port: port) { request, body in try await send(request, body, toPort: port) }
        }
        let (responder, logger) = (try await responder, logger)
        return TestClient(port: nil) { request, body in
            var request = request
            if let body { request.headerFields[.contentLength] = "\(body.readableBytes)" }
            let context = Responder.Context(
                source: ApplicationRequestContextSource(channel: NIOAsyncTestingChannel(), logger: logger))
            let response = try await responder.respond(
                to: Request(head: request, body: RequestBody(buffer: body ?? ByteBuffer())), context: context)
            let collector = BodyCollector()
            try await response.body.write(collector)
            return TestResponse(status: response.status, headers: response.headers, body: collector.bytes)
        }
    }
}

/// The services of an application without its server.
private struct RouterOnly<App: ApplicationProtocol>: Service {
    let application: App
    let onStart: @Sendable () -> Void

    func run() async throws {
        let first = Prelude(steps: application.processesRunBeforeServerStart, onEnd: onStart)
        let services = application.services + [first]
        try await ServiceGroup(configuration: .init(services: services, logger: application.logger)).run()
    }
}

/// Runs the steps that come before the socket opens, beside the services.
private struct Prelude: Service {
    let steps: [@Sendable () async throws -> Void]
    let onEnd: @Sendable () -> Void

    func run() async throws {
        for step in steps { try await step() }
        onEnd()
        try? await gracefulShutdown()
    }
}

/// An application on a port that the kernel picks.
private struct OnFreePort<App: ApplicationProtocol>: ApplicationProtocol {
    let application: App
    let onStart: @Sendable (Int) -> Void

    var responder: App.Responder { get async throws { try await application.responder } }
    var server: HTTPServerBuilder { application.server }
    var eventLoopGroup: any EventLoopGroup { application.eventLoopGroup }
    var logger: Logger { application.logger }
    var services: [any Service] { application.services }
    var processesRunBeforeServerStart: [@Sendable () async throws -> Void] { application.processesRunBeforeServerStart }
    var configuration: ApplicationConfiguration {
        var configuration = application.configuration
        configuration.address = .hostname("127.0.0.1", port: 0)
        return configuration
    }

    func onServerRunning(_ channel: any Channel) async {
        await application.onServerRunning(channel)
        onStart(channel.localAddress?.port ?? 0)
    }
}

/// Keeps what a response writes.
private final class BodyCollector: ResponseBodyWriter {
    private let collected = Mutex(ByteBuffer())

    var bytes: ByteBuffer { collected.withLock { $0 } }

    func write(_ buffer: ByteBuffer) async throws {
        collected.withLock { _ = $0.writeImmutableBuffer(buffer) }
    }

    func finish(_ trailers: HTTPFields?) async throws {}
}

/// Sends a request over a socket.
private func send(_ request: HTTPRequest, _ body: ByteBuffer?, toPort port: Int) async throws -> TestResponse {
    let fields = request.headerFields.map { CurlHTTP.HTTPField($0.name.rawName, $0.value) }
    let response = TestTransport.send(
        HTTPClientRequest(
            request.method.rawValue, url: "http://127.0.0.1:\(port)\(request.path ?? "/")", fields: fields,
            body: body.map { Array($0.readableBytesView) }))
    response.allow(.seconds(20))
    guard case .head(let head)? = try await response.next() else { throw HTTPClientError.timedOut }
    var whole = TestResponse(status: .init(code: head.status), headers: [:], body: ByteBuffer())
    for field in head.fields {
        if let name = HTTPTypes.HTTPField.Name(field.name) {
            whole.headers.append(HTTPTypes.HTTPField(name: name, value: field.value))
        }
    }
    while case .body(let bytes)? = try await response.next() { whole.body.writeBytes(bytes) }
    return whole
}
