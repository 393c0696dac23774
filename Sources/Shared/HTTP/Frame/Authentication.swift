import HTTPTypes
package import Hummingbird

extension RouterMethods where Context == ServiceContext {
    /// Routes that only a signed-in user reaches.
    package func authenticated(with verifier: AccessTokenVerifier) -> RouterGroup<AuthenticatedContext> {
        group().add(middleware: BearerAuthentication(verifier: verifier)).group(context: AuthenticatedContext.self)
    }
}

/// Takes the access token from `Authorization: Bearer …` (RFC 6750, section 2.1), the only place where one counts.
private struct BearerAuthentication: RouterMiddleware {
    typealias Context = ServiceContext

    let verifier: AccessTokenVerifier

    func handle(
        _ request: Request, context: ServiceContext, next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        let identity = try verifier.identity(in: try Self.token(of: request))
        var context = context
        context.identity = identity
        context.facts.userID.store(identity.userID, ordering: .relaxed)
        return try await next(request, context)
    }

    /// Two fields are refused: whoever read the other one may have decided otherwise.
    private static func token(of request: Request) throws -> String {
        let values = request.headers[values: .authorization]
        guard let value = values.first else { throw Problem(.missingToken) }
        guard values.count == 1, value.utf8.count <= AccessTokenRules.bytesMax + 16 else {
            throw Problem(.invalidToken)
        }
        let scheme = value.prefix(7)
        guard scheme.lowercased() == "bearer " else { throw Problem(.invalidToken) }
        return String(value.dropFirst(7).drop { $0 == " " })
    }
}
