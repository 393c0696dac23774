package import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The one middleware around every route: gives the request its id, turns whatever is thrown into a problem, completes
/// the answer's header, counts and logs. One, because each layer costs every request.
struct FrameMiddleware: RouterMiddleware {
    typealias Context = ServiceContext

    private let settings: HTTPSettings
    private let routes: RouteTable
    private let requestLog: RequestLog
    private let metrics: RequestMetrics
    private let crossOrigin: CrossOriginPolicy
    private let problems: ProblemTranslator
    private let logger: Logger

    init(
        settings: HTTPSettings, routes: RouteTable, requestLog: RequestLog, metrics: RequestMetrics, logger: Logger
    ) {
        self.settings = settings
        self.routes = routes
        self.requestLog = requestLog
        self.metrics = metrics
        self.logger = logger
        crossOrigin = CrossOriginPolicy(origins: settings.corsOrigins)
        problems = ProblemTranslator(routes: routes)
    }

    func handle(
        _ request: Request, context: ServiceContext, next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        let started = NIODeadline.now()
        var context = context
        context.facts = facts(of: request)
        metrics.began()
        let (answered, problem) = await answer(request, context, next)
        var response = answered
        complete(&response, for: request, context)
        let facts = context.facts
        let route = context.endpointPath.flatMap { $0 == "NotFound" ? nil : $0 } ?? "unmatched"
        let status = response.status.code
        // A stream keeps this for as long as it lasts: no more than it needs.
        let finish: @Sendable (Int) -> Void = { [metrics, requestLog] bytes in
            let duration = NIODeadline.now() - started
            metrics.ended()
            metrics.record(route: route, method: request.method, status: status, duration: duration)
            requestLog.note(
                .init(
                    requestID: facts.requestID, method: request.method, route: route, status: status,
                    duration: duration, bytes: bytes, userID: facts.userID.load(ordering: .relaxed), problem: problem
                )
            )
        }
        if let length = response.body.contentLength { finish(length) } else { response.body.whenWritten(finish) }
        return response
    }

    private func facts(of request: Request) -> RequestFacts {
        RequestFacts(
            requestID: RequestID.accepted(request.headers[.requestID]) ?? RequestID.make(),
            forwardedFor: request.headers[values: .forwardedFor],
            trustedProxies: settings.trustedProxies,
            serviceLogger: logger
        )
    }

    private func answer(
        _ request: Request, _ context: ServiceContext, _ next: (Request, ServiceContext) async throws -> Response
    ) async -> (Response, ProblemCode?) {
        if let preflight = crossOrigin.preflight(request) { return (preflight, nil) }
        do {
            guard request.headers[.contentEncoding] == nil else { throw Problem(.contentEncodingNotSupported) }
            return (try await next(request, context), nil)
        } catch {
            if let options = routes.options(for: request, after: error) { return (options, nil) }
            let problem = problems.problem(for: error, request: request)
            log(problem, error: error, context)
            return (problem.response(requestID: context.requestID), problem.code)
        }
    }

    /// A bug and an outage are for us; everything else is for the caller, and of interest only when one looks for it.
    private func log(_ problem: Problem, error: any Error, _ context: ServiceContext) {
        let level: Logger.Level = problem.code.status == 500 ? .error : problem.code.status > 500 ? .warning : .debug
        guard level >= logger.logLevel else { return }
        var metadata: Logger.Metadata = ["code": .string(problem.code.rawValue)]
        if let cause = problem.cause { metadata["cause"] = .string(cause) }
        context.logger.log(level: level, "request failed", metadata: metadata)
    }

    private func complete(_ response: inout Response, for request: Request, _ context: ServiceContext) {
        response.headers[.requestID] = context.requestID
        response.headers[.xContentTypeOptions] = "nosniff"
        crossOrigin.complete(&response, for: request)
    }
}

extension HTTPField.Name {
    package static let requestID = HTTPField.Name("X-Request-Id")!
    static let forwardedFor = HTTPField.Name("X-Forwarded-For")!
    package static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
    package static let lastEventID = HTTPField.Name("Last-Event-ID")!
    package static let prefer = HTTPField.Name("Prefer")!
}
