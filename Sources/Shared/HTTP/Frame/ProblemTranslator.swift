import Hummingbird
import NIOHTTP1

/// Makes a problem of whatever a route threw. What is not known here is a bug: 500, the cause in the log only.
struct ProblemTranslator: Sendable {
    private let routes: RouteTable

    init(routes: RouteTable) {
        self.routes = routes
    }

    func problem(for error: any Error, request: Request) -> Problem {
        switch error {
        case let problem as Problem: problem
        case let error as HTTPError: problem(for: error, request: request)
        case is HTTPParserError: Problem(.invalidRequest, headers: [.connection: "close"], cause: "\(error)")
        case is ConnectionGuard.BodyTooSlow: Problem(.requestTimeout, headers: [.connection: "close"])
        case is CancellationError: Problem(.draining, cause: "cancelled")
        default: Problem(.internalError, cause: "\(type(of: error)): \(String(reflecting: error))")
        }
    }

    /// What Hummingbird throws itself.
    private func problem(for error: HTTPError, request: Request) -> Problem {
        switch error.status.code {
        case 404:
            guard let allow = routes.allow(path: request.uri.path) else { return Problem(.notFound) }
            return Problem(.methodNotAllowed, headers: [.allow: allow])
        case 408: return Problem(.requestTimeout)
        case 413: return Problem(.payloadTooLarge)
        case 415: return Problem(.unsupportedMediaType)
        case 400..<500: return Problem(.invalidRequest, cause: error.body)
        case 503: return Problem(.overloaded, cause: error.body)
        default: return Problem(.internalError, cause: error.description)
        }
    }
}
