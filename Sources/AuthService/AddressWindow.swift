import Shared

/// A limit on one kind of event from one client address: so many in a window that starts with the first of them.
///
/// The counts are rows, so the limit is the same for one replica and for many.
struct AddressWindow: Sendable {
    /// What is counted; the table's constraint has the same list.
    enum Kind: String, CaseIterable, Sendable {
        case loginFailure = "login_failure"
        case registration
        case emailTaken = "email_taken"
        case mailRequest = "mail_request"
        case mailToAccount = "mail_to_account"
    }

    let kind: Kind
    /// Events in one window; 0: no limit.
    let limit: Int
    let seconds: Int

    /// Wrong passwords for whatever accounts. Right ones are not counted: an office may share an address.
    static let loginFailures = AddressWindow(kind: .loginFailure, limit: 30, seconds: 60)

    /// Mails asked for, to whomever.
    static let mailRequests = AddressWindow(kind: .mailRequest, limit: 20, seconds: 3_600)
    /// Mails to one account, by whomever they were asked for; what is counted by is no client address here.
    static let mailsToAccount = AddressWindow(kind: .mailToAccount, limit: 5, seconds: 3_600)

    /// Accounts made.
    static func registrations(perHour limit: Int) -> AddressWindow {
        AddressWindow(kind: .registration, limit: limit, seconds: 3_600)
    }

    /// Registrations that met a taken address. They make nothing but tell who is registered, so they are limited too,
    /// with room for people who forgot that they have an account.
    static func takenEmails(perHour limit: Int) -> AddressWindow {
        AddressWindow(kind: .emailTaken, limit: limit * 10, seconds: 3_600)
    }
}

extension PostgresQuerying {
    /// Counts one event of `window` from `address`; holds the row until the transaction ends.
    /// - Returns: nil when it is within the limit, else (and then it is not counted) the seconds until the window ends.
    func take(_ window: AddressWindow, from address: String) async throws -> Int? {
        guard window.limit > 0 else { return nil }
        let length: SQL = "make_interval(secs => \(Double(window.seconds)))"
        let counted = try await query(
            """
            insert into auth.address_windows as w (kind, address, started_at, events)
            values (\(window.kind.rawValue), \(address), statement_timestamp(), 1)
            on conflict (kind, address) do update set
                started_at = case when w.started_at <= statement_timestamp() - \(sql: length)
                    then excluded.started_at else w.started_at end,
                events = case when w.started_at <= statement_timestamp() - \(sql: length) then 1 else w.events + 1 end
            where w.events < \(window.limit) or w.started_at <= statement_timestamp() - \(sql: length)
            returning w.events
            """)
        if !counted.isEmpty { return nil }
        return try await secondsUntilOpen(window, for: address) ?? 1
    }

    /// - Returns: nil while there is room in `window`, else the seconds until it ends, 1 or more.
    func secondsUntilOpen(_ window: AddressWindow, for address: String) async throws -> Int? {
        guard window.limit > 0 else { return nil }
        let rows = try await read(
            """
            select ceil(extract(epoch from started_at - clock_timestamp()) + \(window.seconds))::bigint
            from auth.address_windows
            where kind = \(window.kind.rawValue) and address = \(address) and events >= \(window.limit)
                and started_at > clock_timestamp() - make_interval(secs => \(Double(window.seconds)))
            """)
        guard let row = rows.first else { return nil }
        return max(1, try row.decode(Int.self))
    }
}
