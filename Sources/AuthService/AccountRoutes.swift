import Foundation
import Hummingbird
import Metrics
import Shared

/// Registration, and what signed-in users do with their own account.
struct AccountRoutes: Sendable {
    let database: PostgresDatabase
    let hasher: PasswordHasher
    let passwords: PasswordCheck
    let issuer: TokenIssuer
    let revoked: RevokedSessions
    let profiles: ProfileAnswers
    let registrationsPerHour: Int
    /// Nil when no mail can be sent: an address is not asked to be confirmed then.
    let mails: Doorbell?

    /// `POST /register`. Whether the e-mail is free is decided by the insert alone.
    @Sendable func register(_ request: Request, _ context: ServiceContext) async throws -> Response {
        var fields = try await request.bodyFields(context)
        let (email, password, name) = (fields.string("email"), fields.string("password"), fields.string("name"))
        try fields.finish()
        guard let email = EmailAddress(email) else { throw Problem(.invalidEmail, field: "email") }
        guard let name = PersonName(name) else { throw Problem(.invalidName, field: "name") }
        let chosen = try Self.chosenPassword(password, field: "password")
        let origin = RequestOrigin(request, context)
        try await refuseFloods(from: origin)
        let hash = try await hasher.hash(chosen)
        do {
            let answer = try await makeAccount(email: email, name: name, passwordHash: hash, origin)
            Counter(label: "parley_registrations_total").increment()
            mails?.ring()
            return try Response(json: answer, status: .created)
        } catch is EmailTaken {
            let window = AddressWindow.takenEmails(perHour: registrationsPerHour)
            if let seconds = try await database.take(window, from: origin.network) {
                throw Problem(.tooManyRegistrations, retryAfter: seconds)
            }
            throw Problem(.emailTaken)
        }
    }

    /// Before a hash is spent; what counts is counted with the insert.
    private func refuseFloods(from origin: RequestOrigin) async throws {
        for window in [
            AddressWindow.registrations(perHour: registrationsPerHour),
            AddressWindow.takenEmails(perHour: registrationsPerHour),
        ] {
            if let seconds = try await database.secondsUntilOpen(window, for: origin.network) {
                throw Problem(.tooManyRegistrations, retryAfter: seconds)
            }
        }
    }

    private func makeAccount(
        email: EmailAddress, name: PersonName, passwordHash: String, _ origin: RequestOrigin
    ) async throws -> SessionAnswer {
        let token = RefreshToken()
        return try await database.withTransaction { transaction in
            let account = try await transaction.insertAccount(
                email: email, name: name, passwordHash: passwordHash, origin)
            let sid = try await transaction.startSession(
                of: account, with: token, limits: issuer.limits, event: nil, origin)
            guard let sid else { throw Problem(.internalError, cause: "an account made just now has changed") }
            // A full queue is no reason to refuse the account; the mail can be asked for again.
            if mails != nil { _ = try await transaction.enqueueMail(.emailConfirmation, to: email, origin) }
            // Last, because the row is held until the commit. Throwing undoes the account.
            let window = AddressWindow.registrations(perHour: registrationsPerHour)
            if let seconds = try await transaction.take(window, from: origin.network) {
                throw Problem(.tooManyRegistrations, retryAfter: seconds)
            }
            return issuer.answer(sid: sid, user: account.signedIn, refreshToken: token)
        }
    }

    /// `GET /api/profile`
    @Sendable func profile(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        guard let answer = try await profiles.answer(ofUser: context.identity.userID) else {
            throw Problem(.invalidToken, cause: "the user is gone")
        }
        return .json(answer)
    }

    /// `PATCH /api/profile`
    @Sendable func rename(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        var fields = try await request.bodyFields(context)
        let name = fields.string("name")
        try fields.finish()
        guard let name = PersonName(name) else { throw Problem(.invalidName, field: "name") }
        let user = context.identity.userID
        guard let profile = try await database.rename(user: user, to: name, RequestOrigin(request, context)) else {
            throw Problem(.invalidToken, cause: "the user is gone")
        }
        profiles.forget(user)
        return .json(profile.json)
    }

    /// `POST /api/change-password`. Whoever else holds a session of this user loses it.
    @Sendable func changePassword(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        var fields = try await request.bodyFields(context)
        let (old, new) = (fields.string("old_password"), fields.string("new_password"))
        try fields.finish()
        let chosen = try Self.chosenPassword(new, field: "new_password")
        let attempt = try await PasswordCheck.Attempt(owner: old, request, context, database)
        // Made before the verdict, because a transaction must not wait for a hash.
        let hash = try await hasher.hash(chosen)
        let sid = context.identity.sessionID
        let (ended, _) = try await passwords.run(attempt, refusedAs: .invalidOldPassword) {
            transaction, account -> [UUID]? in
            // Only now: that both are the same says that the new one is right, if the old one is.
            guard Password(presented: old)?.isSame(as: chosen) != true else {
                throw Problem(.samePassword, field: "new_password")
            }
            guard
                try await transaction.replacePasswordHash(
                    of: account, with: hash, as: .passwordChanged, attempt.origin)
            else { return nil }
            return try await transaction.endSessions(ofUser: account.id, except: sid, attempt.origin)
        }
        for sid in ended { revoked.revoke(sid, expiresAt: issuer.limits.lastExpiry) }
        return try Response(json: ["message": "password updated successfully"])
    }

    /// `DELETE /api/account`
    @Sendable func deleteAccount(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        var fields = try await request.bodyFields(context)
        let password = fields.string("password")
        try fields.finish()
        let attempt = try await PasswordCheck.Attempt(owner: password, request, context, database)
        _ = try await passwords.run(attempt, refusedAs: .invalidPassword) { transaction, account -> Bool? in
            try await transaction.deleteAccount(account, attempt.origin) ? true : nil
        }
        revoked.revoke(context.identity.sessionID, expiresAt: issuer.limits.lastExpiry)
        return .noContent
    }

    /// - Throws: `weakPassword`, with the reason.
    static func chosenPassword(_ text: String, field: String) throws(Problem) -> Password {
        do throws(WeakPassword) {
            return try Password(chosen: text)
        } catch {
            throw Problem(.weakPassword, errors: [.init(field, error.detail)])
        }
    }
}

extension PasswordCheck.Attempt {
    /// A signed-in user shows the password of the account once more. Counted as a sign-in: a stolen access token must
    /// not be a way to guess it.
    init(
        owner password: String, _ request: Request, _ context: AuthenticatedContext, _ database: PostgresDatabase
    ) async throws {
        guard let account = try await database.account(id: context.identity.userID) else {
            throw Problem(.invalidToken, cause: "the user is gone")
        }
        let origin = RequestOrigin(request, context)
        self.init(
            password: password, account: account,
            throttle: LoginThrottle(email: account.email, address: origin.network), refusal: .passwordRefused,
            origin: origin)
    }
}

extension StoredAccount {
    /// What the account's owner is told of it when they sign in.
    var signedIn: SignedInUser { SignedInUser(id: id, email: email, name: name) }
}
