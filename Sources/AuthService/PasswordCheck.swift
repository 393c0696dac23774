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
        /// Nil: the password is enough, whether or not the account has a second factor.
        var secondFactor: SecondFactor?
        /// What the audit trail calls a refusal.
        let refusal: AuditEvent
        let origin: RequestOrigin
    }

    /// What a right password must be completed by, where the account has a second factor.
    struct SecondFactor {
        let check: SecondFactorCheck
        /// As typed; nil when none was given.
        let code: String?
    }

    private enum Verdict<Allowed: Sendable>: Sendable {
        case allowed(Allowed)
        case refused
        /// The password is right, and this is what is missing.
        case incomplete(ProblemCode)
        case throttled(seconds: Int)
    }

    let database: PostgresDatabase
    let hasher: PasswordHasher

    /// - Parameters:
    ///   - problem: what the caller is told when the password is not right.
    ///   - act: what a right password allows; run again after a deadlock. Nil when the account has changed since it was
    ///     read: as good as wrong.
    /// - Throws: `problem`, `totpRequired`, `invalidTOTP`, `tooManyAttempts`, `overloaded`.
    func run<Allowed: Sendable>(
        _ attempt: Attempt, refusedAs problem: ProblemCode,
        act: (PostgresTransaction, StoredAccount) async throws -> Allowed?
    ) async throws -> (allowed: Allowed, isHashOutdated: Bool) {
        let verification = try await hasher.verify(
            Password(presented: attempt.password), against: attempt.account?.passwordHash)
        let verdict = try await repeatingDeadlocks {
            try await database.withTransaction { transaction in
                try await Self.judge(attempt, isRight: verification.isRight, in: transaction, act: act)
            }
        }
        switch verdict {
        case .allowed(let allowed):
            count("accepted")
            return (allowed, verification.isOutdated)
        case .refused:
            count("refused")
            throw Problem(problem)
        case .incomplete(let problem):
            count("incomplete")
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
        // Before any other lock, so that attempts that count for the factor and for the address wait in one order. Also
        // for nobody's account: the same statements for all.
        if attempt.secondFactor != nil { try await transaction.lockSecondFactor(ofUser: attempt.account?.id ?? 0) }
        if let seconds = try await transaction.pauseSeconds(of: attempt.throttle) {
            try await transaction.audit(.loginThrottled, user: attempt.account?.id, attempt.origin)
            return .throttled(seconds: seconds)
        }
        guard isRight, let account = attempt.account else {
            return try await refuse(attempt, as: attempt.refusal, .refused, in: transaction)
        }
        switch try await attempt.secondFactor?.check.judge(
            attempt.secondFactor?.code, ofUser: account.id, attempt.origin, in: transaction)
        {
        case nil, .passed, .notEnabled: break
        // Neither counted nor forgotten: the password was right, but guesses of codes go on being counted.
        case .missing: return .incomplete(.totpRequired)
        case .throttled(let seconds):
            try await transaction.audit(.loginThrottled, user: account.id, attempt.origin)
            return .throttled(seconds: seconds)
        case .wrong: return try await refuse(attempt, as: .totpRefused, .incomplete(.invalidTOTP), in: transaction)
        }
        guard let allowed = try await act(transaction, account) else {
            return try await refuse(attempt, as: attempt.refusal, .refused, in: transaction)
        }
        try await transaction.forgetFailures(of: attempt.throttle)
        return .allowed(allowed)
    }

    /// Counts a failure and writes it down.
    private static func refuse<Allowed: Sendable>(
        _ attempt: Attempt, as event: AuditEvent, _ verdict: Verdict<Allowed>, in transaction: PostgresTransaction
    ) async throws -> Verdict<Allowed> {
        if let seconds = try await transaction.recordFailure(of: attempt.throttle) {
            try await transaction.audit(.loginThrottled, user: attempt.account?.id, attempt.origin)
            return .throttled(seconds: seconds)
        }
        try await transaction.audit(event, user: attempt.account?.id, attempt.origin)
        return verdict
    }

    private func count(_ outcome: String) {
        Counter(label: "parley_password_checks_total", dimensions: [("outcome", outcome)]).increment()
    }
}
