import Hummingbird
import Shared

/// Turning the second factor on and off.
struct SecondFactorRoutes: Sendable {
    let database: PostgresDatabase
    let passwords: PasswordCheck
    let check: SecondFactorCheck

    /// `GET /api/totp`
    @Sendable func state(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let user = context.identity.userID
        let isEnabled = try await database.secondFactor(ofUser: user)?.isConfirmed ?? false
        let codes = isEnabled ? try await database.recoveryCodesLeft(ofUser: user) : 0
        return try Response(json: SecondFactorState(enabled: isEnabled, recoveryCodesLeft: codes))
    }

    /// `POST /api/totp`. Needs the password: whoever has only an access token must not lock the owner out.
    @Sendable func propose(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        var fields = try await request.bodyFields(context)
        let password = fields.string("password")
        try fields.finish()
        let attempt = try await PasswordCheck.Attempt(owner: password, request, context, database)
        let factor = TOTP.random()
        let (isProposed, _) = try await passwords.run(attempt, refusedAs: .invalidPassword) {
            transaction, account -> Bool? in
            try await transaction.proposeSecondFactor(
                check.seal.seal(factor.secret, ofUser: account.id), ofUser: account.id)
        }
        guard isProposed else { throw Problem(.totpAlreadyEnabled) }
        guard let account = EmailAddress(context.identity.email) else { throw Problem(.invalidToken) }
        return try Response(
            json: ProposedSecondFactor(
                secret: Base32.encode(factor.secret), otpauthURI: factor.address(account: account)))
    }

    /// `POST /api/totp/confirm`
    @Sendable func confirm(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        var fields = try await request.bodyFields(context)
        let code = fields.string("totp")
        try fields.finish()
        let (user, origin) = (context.identity.userID, RequestOrigin(request, context))
        let codes = (0..<RecoveryCode.count).map { _ in RecoveryCode() }
        let verdict = try await database.withTransaction { transaction in
            if try await transaction.secondFactor(ofUser: user)?.isConfirmed == true {
                throw Problem(.totpAlreadyEnabled)
            }
            let verdict = try await check.confirm(code, ofUser: user, recoveryCodes: codes, origin, in: transaction)
            if verdict == .wrong { try await transaction.audit(.totpRefused, user: user, origin) }
            return verdict
        }
        try verdict.problem.map { throw $0 }
        return try Response(json: ["recovery_codes": codes.map(\.text)])
    }

    /// `DELETE /api/totp`. Needs a code, not the password: who has learnt only the password must not get rid of it.
    @Sendable func remove(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        var fields = try await request.bodyFields(context)
        let code = fields.string("totp")
        try fields.finish()
        let (user, origin) = (context.identity.userID, RequestOrigin(request, context))
        let verdict = try await database.withTransaction { transaction in
            let verdict = try await check.judge(code, ofUser: user, origin, in: transaction)
            if verdict == .passed { try await transaction.removeSecondFactor(ofUser: user, origin) }
            if verdict == .wrong { try await transaction.audit(.totpRefused, user: user, origin) }
            return verdict
        }
        try verdict.problem.map { throw $0 }
        return .noContent
    }
}

/// The answer of `GET /api/totp`.
struct SecondFactorState: Sendable, Codable {
    let enabled: Bool
    let recoveryCodesLeft: Int

    private enum CodingKeys: String, CodingKey {
        case enabled
        case recoveryCodesLeft = "recovery_codes_left"
    }
}

/// The answer of `POST /api/totp`: the only time that the secret is told.
struct ProposedSecondFactor: Sendable, Codable {
    /// Base 32, for typing.
    let secret: String
    /// The same for scanning.
    let otpauthURI: String

    private enum CodingKeys: String, CodingKey {
        case secret
        case otpauthURI = "otpauth_uri"
    }
}

extension SecondFactorCheck.Verdict {
    /// What the caller is told; nil when all is well.
    var problem: Problem? {
        switch self {
        case .passed: nil
        case .notEnabled: Problem(.totpNotEnabled)
        case .missing: Problem(.totpRequired)
        case .wrong: Problem(.invalidTOTP)
        case .throttled(let seconds): Problem(.tooManyAttempts, retryAfter: seconds)
        }
    }
}
