import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Shared

/// How sessions begin, go on and end.
struct SessionRoutes: Sendable {
    let database: PostgresDatabase
    let hasher: PasswordHasher
    let passwords: PasswordCheck
    let secondFactors: SecondFactorCheck
    let issuer: TokenIssuer
    let revoked: RevokedSessions

    /// `POST /login`. What is not an address, and whoever is not registered, takes the way of a wrong password.
    @Sendable func login(_ request: Request, _ context: ServiceContext) async throws -> Response {
        var fields = try await request.bodyFields(context)
        let (typed, password) = (fields.string("email"), fields.string("password"))
        let code = fields.optionalString("totp")
        try fields.finish()
        let email = EmailAddress(typed)
        let account = if let email { try await database.account(email: email) } else { StoredAccount?.none }
        let origin = RequestOrigin(request, context)
        let attempt = PasswordCheck.Attempt(
            password: password, account: account,
            throttle: LoginThrottle(email: email?.text ?? typed, address: origin.network),
            secondFactor: .init(check: secondFactors, code: code), refusal: .loginFailed, origin: origin)
        let token = RefreshToken()
        let (answer, isHashOutdated) = try await passwords.run(attempt, refusedAs: .invalidCredentials) {
            transaction, account in
            try await transaction.startSession(
                of: account, with: token, limits: issuer.limits, event: .loginSucceeded, origin
            ).map { issuer.answer(sid: $0, user: account.signedIn, refreshToken: token) }
        }
        if isHashOutdated, let account { await renewHash(of: account, password, origin, context.logger) }
        return try Response(json: answer)
    }

    /// The one moment at which the password is known. The sign-in has succeeded whatever comes of this.
    private func renewHash(
        of account: StoredAccount, _ text: String, _ origin: RequestOrigin, _ logger: Logger
    ) async {
        guard let password = Password(presented: text) else { return }
        do {
            let hash = try await hasher.hash(password)
            _ = try await database.replacePasswordHash(of: account, with: hash, as: .passwordRehashed, origin)
        } catch {
            logger.warning("password not rehashed at today's cost", metadata: ["reason": "\(error)"])
        }
    }

    /// `POST /refresh`
    @Sendable func refresh(_ request: Request, _ context: ServiceContext) async throws -> Response {
        var fields = try await request.bodyFields(context)
        let text = fields.string("refresh_token")
        try fields.finish()
        guard let presented = RefreshToken(text) else { throw Problem(.invalidRefreshToken) }
        let origin = RequestOrigin(request, context)
        let refreshed = try await database.refreshSession(
            presented, successor: issuer.successor(of: presented), limits: issuer.limits, origin)
        guard let refreshed else {
            if let sid = try await database.endReusedSession(of: presented, origin) { revoke([sid]) }
            throw Problem(.invalidRefreshToken)
        }
        guard let successor = issuer.successor(of: presented, hashedAs: refreshed.refreshHash) else {
            throw Problem(.invalidRefreshToken, cause: "the successor was made under a secret unknown here")
        }
        return try Response(
            json: issuer.answer(sid: refreshed.sid, user: refreshed.user, refreshToken: successor))
    }

    /// `POST /logout`
    @Sendable func logout(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let sid = context.identity.sessionID
        _ = try await database.endSession(sid: sid, RequestOrigin(request, context))
        revoke([sid])
        return .noContent
    }

    /// `GET /api/sessions`
    @Sendable func list(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let identity = context.identity
        let sessions = try await database.sessions(ofUser: identity.userID, current: identity.sessionID)
        return try Response(json: ["sessions": sessions])
    }

    /// `DELETE /api/sessions/{id}`
    @Sendable func end(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let id = try context.id("id")
        let ended = try await database.endSession(
            id: id, ofUser: context.identity.userID, RequestOrigin(request, context))
        guard !ended.isEmpty else { throw Problem(.sessionNotFound) }
        revoke(ended)
        return .noContent
    }

    /// This replica knows at once; the others hear it from the database.
    private func revoke(_ sids: [UUID]) {
        for sid in sids { revoked.revoke(sid, expiresAt: issuer.limits.lastExpiry) }
    }
}

extension RequestOrigin {
    init(_ request: Request, _ context: some RequestDescribing) {
        self.init(
            address: context.clientAddress, userAgent: request.headers[.userAgent] ?? "", requestID: context.requestID)
    }
}
