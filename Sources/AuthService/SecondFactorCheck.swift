import Logging
import Shared

/// Checks codes of the second factor, and uses them up.
///
/// Guesses are counted for the account over all addresses, beside what the login throttle counts: whoever gets here
/// knows the password, so nobody else can lock the owner out, and many addresses do not make many guesses.
struct SecondFactorCheck: Sendable {
    /// What a check has found.
    enum Verdict: Sendable, Equatable {
        /// The account has no second factor that is on.
        case notEnabled
        /// It has, and no code was given.
        case missing
        case passed
        /// Counted.
        case wrong
        case throttled(seconds: Int)
    }

    let seal: SecretSeal
    let logger: Logger

    /// - Parameter code: as typed: of the app, or a recovery code.
    func judge(
        _ code: String?, ofUser id: Int, _ origin: RequestOrigin, in transaction: PostgresTransaction
    ) async throws -> Verdict {
        try await transaction.lockSecondFactor(ofUser: id)
        guard let factor = try await transaction.secondFactor(ofUser: id), factor.isConfirmed else {
            return .notEnabled
        }
        guard let code else { return .missing }
        return try await counted(ofUser: id, in: transaction) {
            if let code = RecoveryCode(code) {
                return try await transaction.useRecoveryCode(code, ofUser: id, origin)
            }
            guard let step = step(of: code, factor, ofUser: id) else { return false }
            return try await transaction.useStep(step, ofUser: id)
        }
    }

    /// Turns on what was proposed when `code` is its code of now.
    func confirm(
        _ code: String, ofUser id: Int, recoveryCodes: [RecoveryCode], _ origin: RequestOrigin,
        in transaction: PostgresTransaction
    ) async throws -> Verdict {
        try await transaction.lockSecondFactor(ofUser: id)
        guard let factor = try await transaction.secondFactor(ofUser: id), !factor.isConfirmed else {
            return .notEnabled
        }
        return try await counted(ofUser: id, in: transaction) {
            guard let step = step(of: code, factor, ofUser: id) else { return false }
            return try await transaction.confirmSecondFactor(
                ofUser: id, secret: factor.secret, step: step, codes: recoveryCodes, origin)
        }
    }

    private func counted(
        ofUser id: Int, in transaction: PostgresTransaction, isRight: () async throws -> Bool
    ) async throws -> Verdict {
        let throttle = LoginThrottle(secondFactorOf: id)
        if let seconds = try await transaction.pauseSeconds(of: throttle) { return .throttled(seconds: seconds) }
        if try await isRight() {
            try await transaction.forgetFailures(of: throttle)
            return .passed
        }
        if let seconds = try await transaction.recordFailure(of: throttle) { return .throttled(seconds: seconds) }
        return .wrong
    }

    private func step(of code: String, _ factor: StoredSecondFactor, ofUser id: Int) -> Int? {
        guard let secret = seal.open(factor.secret, ofUser: id) else {
            logger.error(
                "a second factor cannot be read: JWT_SECRET was replaced, and the old one is not JWT_SECRET_PREVIOUS",
                metadata: ["user_id": "\(id)"])
            return nil
        }
        let digits = String(code.unicodeScalars.filter { $0 != " " })
        return TOTP(secret: secret).step(of: digits, near: factor.step, after: factor.lastStep)
    }
}
