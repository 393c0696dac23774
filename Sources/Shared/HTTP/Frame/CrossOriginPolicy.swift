import HTTPTypes
import Hummingbird

/// CORS (Fetch Standard, section 3.2) for the pages of a fixed list of origins. No credentials: our tokens travel in a
/// header that the page sets itself, not in cookies.
struct CrossOriginPolicy: Sendable {
    private static let methods = "GET, POST, PATCH, DELETE"
    private static let requestFields =
        "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, If-None-Match, Prefer, X-Request-Id"
    private static let responseFields = "ETag, Location, Retry-After, X-Request-Id"
    /// How long a browser may remember a preflight; none keeps it for longer than two hours.
    private static let preflightSeconds = "7200"

    private let origins: Set<String>

    init(origins: [String]) {
        self.origins = Set(origins)
    }

    /// The answer to a preflight, for any path: the browser asks for what it may do, not for what is there. nil when
    /// the request is none.
    func preflight(_ request: Request) -> Response? {
        guard request.method == .options, request.headers[.origin] != nil,
            request.headers[.accessControlRequestMethod] != nil
        else { return nil }
        var headers: HTTPFields = [:]
        if isAllowed(request) {
            headers[.accessControlAllowMethods] = Self.methods
            headers[.accessControlAllowHeaders] = Self.requestFields
            headers[.accessControlMaxAge] = Self.preflightSeconds
        }
        return Response(status: .noContent, headers: headers)
    }

    /// Every answer depends on the origin, also those without one: a shared cache must know.
    func complete(_ response: inout Response, for request: Request) {
        response.headers.append(HTTPField(name: .vary, value: "Origin"))
        guard isAllowed(request) else { return }
        response.headers[.accessControlAllowOrigin] = request.headers[.origin]
        response.headers[.accessControlExposeHeaders] = Self.responseFields
    }

    private func isAllowed(_ request: Request) -> Bool {
        request.headers[.origin].map(origins.contains) ?? false
    }
}
