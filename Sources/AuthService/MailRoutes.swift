import Foundation
import Hummingbird
import Shared

/// What goes by mail: a new password for who forgot theirs, and the proof that an address is somebody's own. Not served
/// when no mail can be sent.
struct MailRoutes: Sendable {
    let database: PostgresDatabase
    let hasher: PasswordHasher
    let issuer: TokenIssuer
    let revoked: RevokedSessions
    let doorbell: Doorbell

    /// `POST /password-reset`. Whether somebody has this address is not looked up here, and so cannot show.
    @Sendable func requestReset(_ request: Request, _ context: ServiceContext) async throws -> Response {
        var fields = try await request.bodyFields(context)
        let email = fields.string("email")
        try fields.finish()
        if let email = EmailAddress(email) {
            try await enqueue(.passwordReset, to: email, RequestOrigin(request, context))
        }
        return Response(status: .accepted)
    }

    /// `POST /password-reset/confirm`. Every session of the user ends.
    @Sendable func reset(_ request: Request, _ context: ServiceContext) async throws -> Response {
        var fields = try await request.bodyFields(context)
        let (text, password) = (fields.string("token"), fields.string("new_password"))
        try fields.finish()
        let chosen = try AccountRoutes.chosenPassword(password, field: "new_password")
        // Before a hash is spent; what counts is what the transaction finds.
        guard let token = MailToken(text),
            try await database.user(ofMailToken: token, for: .passwordReset) != nil
        else { throw Problem(.invalidMailToken) }
        let hash = try await hasher.hash(chosen)
        let origin = RequestOrigin(request, context)
        let ended = try await database.withTransaction { transaction in
            guard let user = try await transaction.useMailToken(token, for: .passwordReset) else {
                throw Problem(.invalidMailToken)
            }
            try await transaction.confirmEmail(ofUser: user, passwordHash: hash, as: .passwordReset, origin)
            return try await transaction.endAllSessions(ofUser: user, origin)
        }
        for sid in ended { revoked.revoke(sid, expiresAt: issuer.limits.lastExpiry) }
        return try Response(json: ["message": "password updated successfully"])
    }

    /// `POST /api/confirm-email`: the mail of the registration once more.
    @Sendable func requestConfirmation(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let (user, origin) = (context.identity.userID, RequestOrigin(request, context))
        guard let account = try await database.account(id: user), let email = EmailAddress(account.email) else {
            throw Problem(.invalidToken, cause: "the user is gone")
        }
        guard try await !database.isEmailConfirmed(ofUser: user) else { throw Problem(.emailAlreadyConfirmed) }
        try await enqueue(.emailConfirmation, to: email, origin)
        return Response(status: .accepted)
    }

    /// `POST /confirm-email`
    @Sendable func confirm(_ request: Request, _ context: ServiceContext) async throws -> Response {
        var fields = try await request.bodyFields(context)
        let text = fields.string("token")
        try fields.finish()
        guard let token = MailToken(text) else { throw Problem(.invalidMailToken) }
        try await database.withTransaction { transaction in
            guard let user = try await transaction.useMailToken(token, for: .emailConfirmation) else {
                throw Problem(.invalidMailToken)
            }
            try await transaction.confirmEmail(
                ofUser: user, passwordHash: nil, as: .emailConfirmed, RequestOrigin(request, context))
        }
        return try Response(json: ["message": "e-mail address confirmed"])
    }

    /// An address that asks too often is told so. An account that was sent enough is sent no more, and nobody is told:
    /// its owner has those mails.
    private func enqueue(_ purpose: MailPurpose, to email: EmailAddress, _ origin: RequestOrigin) async throws {
        try await database.withTransaction { transaction in
            if let seconds = try await transaction.take(.mailRequests, from: origin.network) {
                throw Problem(.tooManyAttempts, detail: "There were too many requests for mails.", retryAfter: seconds)
            }
            let throttle = LoginThrottle(email: email.text, address: "")
            let account = purpose.rawValue + ":" + Base64URL.encode(throttle.account)
            guard try await transaction.take(.mailsToAccount, from: account) == nil else { return }
            guard try await transaction.enqueueMail(purpose, to: email, origin) else { throw Problem(.overloaded) }
        }
        doorbell.ring()
    }
}
