import Logging
import Metrics
import Shared

/// Checks a password the only way this service does: hash first, then judge in one transaction together with what a
/// right password allows. Every path costs one hash, also for an account that does not exist or is being throttled.
struct PasswordCheck: Sendable {
    /// One attempt, by whomever.
    struct Attempt {
        /// As typed.
        let password: String
        /// Nil when there is no such account.
        let account: StoredAccount?
        let throttle: LoginThrottle
        /// What the audit trail calls a refusal.
        let refusal: AuditEvent
        let origin: RequestOrigin
    }

    private enum Verdict<Allowed: Sendable>: Sendable {
        case allowed(Allowed)
        case refused
        case throttled(seconds: Int)
    }

    let database: PostgresDatabase
    let hasher: PasswordHasher

    /// - Parameters:
    ///   - problem: what the caller is told when the password is not right.
    ///   - act: what a right password allows. Nil when the account has changed since it was read: as good as wrong.
    /// - Throws: `problem`, `tooManyAttempts`, `overloaded`.
    func run<Allowed: Sendable>(
        _ attempt: Attempt, refusedAs problem: ProblemCode,
        act: (PostgresTransaction, StoredAccount) async throws -> Allowed?
    ) async throws -> (allowed: Allowed, isHashOutdated: Bool) {
        let verification = try await hasher.verify(
            Password(presented: attempt.password), against: attempt.account?.passwordHash)
        let verdict = try await database.withTransaction { transaction in
            try await Self.judge(attempt, isRight: verification.isRight, in: transaction, act: act)
        }
        switch verdict {
        case .allowed(let allowed):
            count("accepted")
            return (allowed, verification.isOutdated)
        case .refused:
            count("refused")
            throw Problem(problem)
        case .throttled(let seconds):
            count("throttled")
            throw Problem(.tooManyAttempts, retryAfter: seconds)
        }
    }

    /// Returns a verdict, and does not throw one, so that the transaction with its counts and audit rows is committed.
    private static func judge<Allowed: Sendable>(
        _ attempt: Attempt, isRight: Bool, in transaction: PostgresTransaction,
        act: (PostgresTransaction, StoredAccount) async throws -> Allowed?
    ) async throws -> Verdict<Allowed> {
        if let seconds = try await transaction.pauseSeconds(of: attempt.throttle) {
            try await transaction.audit(.loginThrottled, user: attempt.account?.id, attempt.origin)
            return .throttled(seconds: seconds)
        }
        if isRight, let account = attempt.account, let allowed = try await act(transaction, account) {
            try await transaction.forgetFailures(of: attempt.throttle)
            return .allowed(allowed)
        }
        if let seconds = try await transaction.recordFailure(of: attempt.throttle) {
            try await transaction.audit(.loginThrottled, user: attempt.account?.id, attempt.origin)
            return .throttled(seconds: seconds)
        }
        try await transaction.audit(attempt.refusal, user: attempt.account?.id, attempt.origin)
        return .refused
    }

    private func count(_ outcome: String) {
        Counter(label: "parley_password_checks_total", dimensions: [("outcome", outcome)]).increment()
    }
}
