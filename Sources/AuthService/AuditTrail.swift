import Shared

/// What the audit trail knows of; the table's constraint has the same list.
enum AuditEvent: String, CaseIterable, Sendable {
    case registered
    case loginSucceeded = "login_succeeded"
    case loginFailed = "login_failed"
    case loginThrottled = "login_throttled"
    case passwordRehashed = "password_rehashed"
    case refreshed
    case refreshReused = "refresh_reused"
    case loggedOut = "logged_out"
    case sessionEnded = "session_ended"
    case profileChanged = "profile_changed"
    case passwordChanged = "password_changed"
    case passwordRefused = "password_refused"
    case accountDeleted = "account_deleted"
    case totpEnabled = "totp_enabled"
    case totpDisabled = "totp_disabled"
    case totpRefused = "totp_refused"
    case recoveryCodeUsed = "recovery_code_used"
    case passwordResetRequested = "password_reset_requested"
    case passwordReset = "password_reset"
    case emailConfirmationRequested = "email_confirmation_requested"
    case emailConfirmed = "email_confirmed"
}

/// Where a request came from, as sessions and the audit trail keep it.
struct RequestOrigin: Sendable {
    /// A browser's is about 120; what is longer is cut.
    static let userAgentBytesMax = 512

    /// The address of the client, without port.
    let address: String
    /// Printable text of at most `userAgentBytesMax` bytes, empty when the client sent none.
    let userAgent: String
    let requestID: String

    /// What limits are counted by: the address, but of IPv6 the first 64 bits, which is what one customer is given.
    var network: String { IPAddress(address)?.customerNetwork ?? address }

    init(address: String, userAgent: String, requestID: String) {
        (self.address, self.requestID) = (address, requestID)
        self.userAgent = Self.bounded(userAgent)
    }

    private static func bounded(_ text: String) -> String {
        var kept = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars where scalar.properties.generalCategory != .control {
            bytes += UTF8.width(scalar)
            guard bytes <= userAgentBytesMax else { break }
            kept.append(scalar)
        }
        return String(kept)
    }
}

extension IPAddress {
    fileprivate var customerNetwork: String {
        guard bytes.count == 16 else { return description }
        return bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
    }
}

extension SQL {
    /// An `insert` for a `with` clause: one audit row for each row of `source`, a query named earlier in that clause
    /// with the columns `user_id` and `session_id`. One statement with the act: neither is without the other.
    static func audit(_ event: AuditEvent, of source: String, _ origin: RequestOrigin) -> SQL {
        """
        insert into auth.audit (event, user_id, session_id, ip, request_id)
        select \(event.rawValue), user_id, session_id, \(origin.address), \(origin.requestID)
        from \(unsafeRaw: source)
        """
    }
}

extension PostgresQuerying {
    /// Writes down what changed no other row.
    func audit(_ event: AuditEvent, user: Int?, _ origin: RequestOrigin) async throws {
        try await query(
            """
            insert into auth.audit (event, user_id, ip, request_id)
            values (\(event.rawValue), \(user as Int?), \(origin.address), \(origin.requestID))
            """)
    }
}
