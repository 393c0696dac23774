import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Shared
import Synchronization

/// A frame with routes that do what tests need, and everything it logged.
struct FrameFixture: Sendable {
    final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        var write: @Sendable ([UInt8]) -> Void {
            { line in self.lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
        }
    }

    struct Leak: Error, CustomStringConvertible {
        let description = "select * from users where password = 'hunter2'"
    }

    let lines = Lines()
    let registry = PrometheusRegistry()
    let frame: HTTPFrame
    let application: ServiceApplication
    let key = AccessTokenKey(secret: Secret("0123456789abcdef-0123456789ABCDEF-+/"))
    let revoked = RevokedSessions()
    /// What the route `/wait` waits for; finish it to let it answer.
    let gate = AsyncStream.makeStream(of: Void.self)
    /// Gets an element when a request has reached `/wait`.
    let arrivals = AsyncStream.makeStream(of: Void.self)

    init(
        settings: HTTPSettings = HTTPSettings(), limits: HTTPLimits = HTTPLimits(), checks: [ReadinessCheck] = [],
        level: Logger.Level = .info, services: [any Service] = [], throwing thrown: any Error = Leak()
    ) {
        let log = LogSettings(level: level, format: .json)
        let write = lines.write
        let logger = Logger(label: "test") { LineLogHandler(label: $0, settings: log, write: write) }
        frame = HTTPFrame(
            name: "test", settings: settings, checks: checks, openAPI: Array(#"{"openapi":"3.1.0"}"#.utf8),
            limits: limits,
            logger: logger, requestLog: RequestLog(label: "test", settings: log, write: write), registry: registry
        )
        let router = frame.makeRouter()
        revoked.isCurrent()
        Self.addRoutes(
            to: router, gate: gate.stream, arrivals: arrivals.continuation,
            verifier: AccessTokenVerifier(reader: AccessTokenReader(keys: [key]), revoked: revoked)
        )
        router.get("thrown") { _, _ -> Response in throw thrown }
        application = frame.application(router, services: services)
    }

    func token(lifetimeSeconds: Int = 900, session: UUID = UUID()) -> String {
        AccessTokenSigner(key: key, lifetimeSeconds: lifetimeSeconds)
            .sign(userID: 7, email: "a@example.org", sessionID: session, now: Int(Date().timeIntervalSince1970))
    }

    private static func addRoutes(
        to router: Router<ServiceContext>, gate: AsyncStream<Void>, arrivals: AsyncStream<Void>.Continuation,
        verifier: AccessTokenVerifier
    ) {
        router.get("hello") { _, _ in Response.json(ByteBuffer(string: #"{"hello":"world"}"#)) }
        router.get("items/:id") { _, context in
            let id = try context.id("id")
            return Response.json(ByteBuffer(string: "{\"id\":\(id)}"))
        }
        router.get("tagged") { request, _ in Response.conditionalJSON(ByteBuffer(string: "[1]"), for: request) }
        router.get("problem") { _, _ -> Response in throw Problem(.tooManyJobs, retryAfter: 9) }
        router.get("bug") { _, _ -> Response in throw Leak() }
        router.get("address") { _, context in context.clientAddress }
        router.get("stream") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    for _ in 0..<3 { try await writer.write(ByteBuffer(string: "part")) }
                    try await writer.finish(nil)
                })
        }
        router.get("wait") { _, _ in
            arrivals.yield()
            for await _ in gate {}
            return "done"
        }
        router.post("echo") { request, context in
            var fields = try await request.bodyFields(context, maxBytes: 1000, allowing: [.json, .form])
            let text = fields.string("text")
            try fields.finish()
            return try Response(json: ["text": text], status: .created)
        }
        router.authenticated(with: verifier).get("me") { _, context in "\(context.identity.userID)" }
    }
}
