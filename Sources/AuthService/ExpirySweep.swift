import Logging
import ServiceLifecycle
import Shared

/// Deletes, once a minute, what has expired: sessions, revocations, forgotten failures, closed windows. Seals anew what
/// is sealed under the previous secret.
///
/// Every replica sweeps; rows that another one is deleting are passed over. Nothing depends on it but the size of the
/// tables: whoever reads a row that can expire looks at its time.
struct ExpirySweep: Service {
    /// Rows a statement deletes at most, so that none of them holds locks for long.
    static let rowsMax = 5_000

    private let database: PostgresDatabase
    private let seal: SecretSeal
    private let interval: Duration
    private let logger: Logger

    init(database: PostgresDatabase, seal: SecretSeal, interval: Duration = .seconds(60), logger: Logger) {
        (self.database, self.seal, self.interval, self.logger) = (database, seal, interval, logger)
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // First of all, because at the start the tables may not be there yet.
                guard (try? await Task.sleep(for: interval)) != nil else { return }
                do {
                    try await database.deleteExpired()
                    try await reseal()
                } catch {
                    logger.warning("sweep failed, will be tried again", metadata: ["reason": "\(error)"])
                }
            }
        }
    }

    private func reseal() async throws {
        let lost = try await database.resealSecondFactors(with: seal, limit: Self.rowsMax)
        guard lost > 0 else { return }
        logger.error(
            "second factors cannot be read: JWT_SECRET was replaced, and the old one is not JWT_SECRET_PREVIOUS",
            metadata: ["count": "\(lost)"])
    }
}

extension PostgresQuerying {
    /// - Returns: how many rows are gone.
    @discardableResult
    func deleteExpired() async throws -> Int {
        let failureMemory = Double(LoginThrottle.memorySeconds)
        let longestWindow = Double(AddressWindow.registrations(perHour: 1).seconds)
        let expired: [(table: String, condition: SQL)] = [
            ("auth.sessions", "expires_at <= clock_timestamp()"),
            ("auth.revoked_sessions", "expires_at <= clock_timestamp()"),
            ("auth.login_attempts", "last_at < clock_timestamp() - make_interval(secs => \(failureMemory))"),
            ("auth.mail_tokens", "expires_at <= clock_timestamp()"),
            // Left from when mails could be sent; nobody waits for them any more.
            ("auth.mails", "created_at < clock_timestamp() - interval '1 day'"),
            ("auth.address_windows", "started_at < clock_timestamp() - make_interval(secs => \(longestWindow))"),
        ]
        var count = 0
        for (table, condition) in expired {
            count += try await query(
                """
                delete from \(unsafeRaw: table) where ctid = any (array(
                    select ctid from \(unsafeRaw: table) where \(sql: condition) limit \(ExpirySweep.rowsMax)
                    for update skip locked))
                """
            ).affectedRows
        }
        return count
    }
}
