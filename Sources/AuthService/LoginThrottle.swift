import Shared

/// The brake on guessing one account's password from one address: five failures are free, then each costs a pause.
///
/// By account *and* address, so that a stranger who fails cannot lock the owner out. Attempts in a pause change
/// nothing, and what a password check found is not told in a pause, not even that it was right: of two hundred guesses
/// sent at once, five are answered.
struct LoginThrottle: Sendable {
    static let freeFailures = 5
    /// Failures are forgotten when the last one is older.
    static let memorySeconds = 15 * 60
    private static let pausesAfter = [1, 2, 4, 8, 16, 32, 60]
    /// Seconds to pause after the first, second… failure; the last one stands for all that follow.
    static let pauseSeconds = Array(repeating: 0, count: freeFailures - 1) + pausesAfter

    /// SHA-256 of the e-mail, whether somebody is registered with it or not.
    let account: [UInt8]
    let address: String

    /// - Parameter email: canonical, or whatever was typed instead of an address.
    init(email: String, address: String) {
        account = SHA256.hash(data: email.utf8)
        self.address = address
    }

    /// The brake on guessing codes of one account's second factor, from wherever.
    init(secondFactorOf user: Int) {
        address = "second factor of \(user)"
        account = SHA256.hash(data: address.utf8)
    }
}

extension PostgresQuerying {
    /// - Returns: nil, or the seconds for which neither this account nor this address may go on. Holds the account's
    ///   row until the transaction ends, so that parallel attempts are judged one after another.
    func pauseSeconds(of throttle: LoginThrottle) async throws -> Int? {
        let rows = try await query(
            """
            select ceil(extract(epoch from blocked_until - clock_timestamp()))::bigint from auth.login_attempts
            where account = \(throttle.account) and address = \(throttle.address) for update
            """)
        let account = try rows.first?.decode(Int.self) ?? 0
        let address = try await secondsUntilOpen(.loginFailures, for: throttle.address) ?? 0
        let seconds = max(account, address)
        return seconds > 0 ? seconds : nil
    }

    /// Counts a failure for the account and for the address.
    /// - Returns: nil, or the pause in seconds that has begun since `pauseSeconds(of:)` found none.
    func recordFailure(of throttle: LoginThrottle) async throws -> Int? {
        let pauses = LoginThrottle.pauseSeconds.map(Double.init)
        let isForgotten: SQL = """
            a.last_at < clock_timestamp() - make_interval(secs => \(Double(LoginThrottle.memorySeconds)))
            """
        let failures: SQL = "case when \(sql: isForgotten) then 1 else least(a.failures, 1000) + 1 end"
        let counted = try await query(
            """
            insert into auth.login_attempts as a (account, address, failures, last_at, blocked_until)
            values (\(throttle.account), \(throttle.address), 1, clock_timestamp(), clock_timestamp())
            on conflict (account, address) do update set
                failures = \(sql: failures),
                last_at = clock_timestamp(),
                blocked_until = clock_timestamp() + make_interval(
                    secs => (\(pauses))[least(\(sql: failures), \(pauses.count))])
            where a.blocked_until <= clock_timestamp()
            returning a.failures
            """)
        let addressPause = try await take(.loginFailures, from: throttle.address)
        if counted.isEmpty { return try await pauseSeconds(of: throttle) ?? 1 }
        return addressPause
    }

    /// A right password wipes the slate of this account and address, of no other.
    func forgetFailures(of throttle: LoginThrottle) async throws {
        try await query(
            "delete from auth.login_attempts where account = \(throttle.account) and address = \(throttle.address)")
    }
}
