package import Hummingbird
package import Logging
import NIOCore
package import ServiceLifecycle

/// What both services wrap around their routes: request ids, problems, CORS, security headers, log, metrics, health,
/// and the limits of the server.
///
/// ```swift
/// let frame = HTTPFrame(name: "AuthService", settings: settings.http, log: settings.log, checks: checks)
/// let router = frame.makeRouter()
/// AccountRoutes(database: database).add(to: router)
/// let application = frame.application(router, services: [database])
/// try await frame.run(application)
/// ```
package struct HTTPFrame: Sendable {
    package let settings: HTTPSettings
    package let limits: HTTPLimits
    package let logger: Logger
    /// Whether the service is stopping; what waits for long looks at it.
    package let drain: Drain
    let metrics: RequestMetrics
    let registry: PrometheusRegistry
    private let name: String
    private let requestLog: RequestLog
    private let checks: [ReadinessCheck]
    private let openAPI: [UInt8]
    private let routes = RouteTable()

    /// - Parameters:
    ///   - name: the service, in log lines.
    ///   - checks: what `/readyz` asks.
    ///   - openAPI: the JSON document that `/openapi.json` answers.
    ///   - requestLog: nil: as `log` says, to standard error.
    package init(
        name: String, settings: HTTPSettings, log: LogSettings = LogSettings(), checks: [ReadinessCheck] = [],
        openAPI: [UInt8] = Array("{}".utf8), limits: HTTPLimits = HTTPLimits(), logger: Logger? = nil,
        requestLog: RequestLog? = nil, registry: PrometheusRegistry = .shared
    ) {
        self.name = name
        self.settings = settings
        var limits = limits
        limits.quiescenceMilliseconds = min(limits.quiescenceMilliseconds, settings.shutdownGraceSeconds * 1000 / 8)
        self.limits = limits
        self.logger = logger ?? Logger(label: name)
        self.checks = checks
        self.openAPI = openAPI
        self.requestLog = requestLog ?? RequestLog(label: name, settings: log)
        self.registry = registry
        metrics = RequestMetrics(registry: registry)
        drain = Drain()
    }

    /// A router with the frame around everything that is added to it, and the routes that both services have.
    package func makeRouter() -> Router<ServiceContext> {
        let router = Router(context: ServiceContext.self, options: .autoGenerateHeadEndpoints)
        router.add(
            middleware: FrameMiddleware(
                settings: settings, routes: routes, requestLog: requestLog, metrics: metrics, logger: logger
            )
        )
        HealthRoutes(checks: checks, drain: drain, registry: registry, metrics: metrics, openAPI: openAPI)
            .add(to: router)
        return router
    }

    /// The application that serves a router made by `makeRouter`; tests run the same one.
    /// - Parameters:
    ///   - services: what runs beside the server, in the order it starts; stopped in the opposite order, after the
    ///     server, so the database comes first.
    ///   - beforeServing: runs after the services started and before the socket opens: migrations.
    package func application(
        _ router: Router<ServiceContext>, services: [any Service] = [],
        beforeServing: (@Sendable () async throws -> Void)? = nil
    ) -> ServiceApplication {
        routes.fill(from: router)
        let (logger, settings) = (logger, settings)
        var application = Application(
            responder: Self.responder(of: router),
            server: limits.server(),
            configuration: .init(
                address: .hostname(settings.host, port: settings.port),
                backlog: limits.backlog,
                availableConnectionsDelegate: .maximum(limits.connectionsMax, logger: logger)
            ),
            services: services,
            onServerRunning: { channel in
                let address = channel.localAddress?.description ?? "unknown"
                // Whoever let us pick the port must be told it, whatever level is logged.
                logger.log(
                    level: settings.port == 0 ? .critical : .notice, "listening",
                    metadata: ["address": .string(address), "port": "\(channel.localAddress?.port ?? 0)"])
            },
            logger: logger
        )
        if let beforeServing { application.beforeServerStarts(perform: beforeServing) }
        return application
    }

    /// Answers a request for a stream of events in a task of its own: that of the connection, which then waits for as
    /// long as the stream lasts, would keep the stack of the router and of all middleware, 10 KiB.
    private static func responder(of router: Router<ServiceContext>) -> CallbackResponder<ServiceContext> {
        let responder = router.buildResponder()
        return CallbackResponder { request, context in
            guard request.acceptsEventStream else { return try await responder.respond(to: request, context: context) }
            return try await answerAside(responder, request, context)
        }
    }

    /// Not a part of the closure, whose frame is there for every request.
    @inline(never)
    private static func answerAside(
        _ responder: RouterResponder<ServiceContext>, _ request: Request, _ context: ServiceContext
    ) async throws -> Response {
        try await inChildTask { try await responder.respond(to: request, context: context) }
    }
}

/// What `HTTPFrame.application` makes and `HTTPFrame.run` runs.
package typealias ServiceApplication = Application<CallbackResponder<ServiceContext>>
