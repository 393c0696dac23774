import Hummingbird
import NIOCore
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
        // The client broke off while its body was read; nobody hears the answer, and it is no fault of ours.
        case is IOError, is ChannelError: Problem(.invalidRequest, headers: [.connection: "close"], cause: "\(error)")
        case is ConnectionGuard.BodyTooSlow: Problem(.requestTimeout, headers: [.connection: "close"])
        case let error as PostgresError: problem(for: error)
        case is CancellationError: Problem(.draining, cause: "cancelled")
        default: Problem(.internalError, cause: "\(type(of: error)): \(String(reflecting: error))")
        }
    }

    /// An outage is 503, which is worth another try; a statement that the server refuses is a bug.
    private func problem(for error: PostgresError) -> Problem {
        // disk_full (PostgreSQL documentation, appendix A)
        if error.sqlState == "53100" { return Problem(.storageFull, cause: error.description) }
        if error.kind == .poolExhausted { return Problem(.overloaded, cause: error.description) }
        if error.isUnavailable || error.isConflict || error.kind == .timeout {
            return Problem(.databaseUnavailable, cause: error.description)
        }
        if error.kind == .cancelled { return Problem(.draining, cause: error.description) }
        return Problem(.internalError, cause: error.description)
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

extension PostgresError {
    /// Lost against another transaction or a lock, or against `statement_timeout`: right when it is tried again.
    fileprivate var isConflict: Bool {
        ["40001", "40P01", "55P03", "57014"].contains(sqlState)
    }
}
