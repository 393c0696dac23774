import Shared

/// A mail that this replica has to send, until its lease ends.
struct ClaimedMail: Sendable {
    let id: Int
    /// Counted at the claim, so that a mail that kills its sender is counted too; the fence of every later write.
    let attempt: Int
    let purpose: MailPurpose
    /// As it was typed; perhaps nobody's.
    let email: EmailAddress
    let origin: RequestOrigin
}

/// The life of a mail in single statements.
extension PostgresQuerying {
    /// Puts a mail into the queue.
    /// - Returns: false when too many wait already; nothing has changed then.
    func enqueueMail(_ purpose: MailPurpose, to email: EmailAddress, _ origin: RequestOrigin) async throws -> Bool {
        try await query(
            """
            insert into auth.mails (purpose, email, ip, request_id)
            select \(purpose.rawValue), \(email.text), \(origin.address), \(origin.requestID)
            where (select count(*) from (select 1 from auth.mails limit \(MailPool.waitingMax)) as w)
                < \(MailPool.waitingMax)
            """
        ).affectedRows == 1
    }

    /// The mail that has been due for longest and that nobody else is sending.
    func claimMail(leaseSeconds: Int) async throws -> ClaimedMail? {
        try await query(
            """
            update auth.mails set
                attempt = attempt + 1,
                lease_until = clock_timestamp() + make_interval(secs => \(Double(leaseSeconds)))
            where id = any (array(
                select id from auth.mails
                where run_after <= clock_timestamp() and (lease_until is null or lease_until < clock_timestamp())
                order by run_after, id limit 1
                for update skip locked))
            returning id, attempt, purpose, email, ip, request_id
            """
        ).first.map { row in
            let (id, attempt, purpose, email, ip, requestID) = try row.decode(
                Int.self, Int.self, String.self, String.self, String.self, String.self)
            guard let purpose = MailPurpose(rawValue: purpose), let email = EmailAddress(email) else {
                throw PostgresError(.decoding, "a mail of no known purpose or to no address")
            }
            return ClaimedMail(
                id: id, attempt: attempt, purpose: purpose, email: email,
                origin: RequestOrigin(address: ip, userAgent: "", requestID: requestID))
        }
    }

    /// Makes a token good for the account of the mail's address.
    /// - Returns: false when nobody is to get this mail: no such account, or its address is confirmed already.
    func allowMailToken(_ token: MailToken, in mail: ClaimedMail) async throws -> Bool {
        let isConfirmation = mail.purpose == .emailConfirmation
        let audited: SQL =
            mail.attempt == 1
            ? ", audited as (\(sql: .audit(mail.purpose.requested, of: "receiver", mail.origin)))" : ""
        return try await !query(
            """
            with receiver as (
                select id as user_id, null::bigint as session_id from auth.users
                where email = \(mail.email.text) and not (\(isConfirmation) and email_confirmed_at is not null)
            ), made as (
                insert into auth.mail_tokens (token_hash, purpose, user_id, expires_at)
                select \(token.hash), \(mail.purpose.rawValue), user_id,
                    clock_timestamp() + make_interval(secs => \(Double(MailToken.lifetimeSeconds)))
                from receiver
            )\(sql: audited)
            select user_id from receiver
            """
        ).isEmpty
    }

    /// The mail is sent, or never will be.
    func forgetMail(_ mail: ClaimedMail) async throws {
        try await query("delete from auth.mails where id = \(mail.id) and attempt = \(mail.attempt)")
    }

    /// Gives the mail back, for another try after `seconds`.
    func postponeMail(_ mail: ClaimedMail, seconds: Int) async throws {
        try await query(
            """
            update auth.mails set lease_until = null,
                run_after = clock_timestamp() + make_interval(secs => \(Double(seconds)))
            where id = \(mail.id) and attempt = \(mail.attempt)
            """)
    }

    // MARK: Tokens

    /// - Returns: whose token it is; nil when it is none, was used, or has expired.
    func user(ofMailToken token: MailToken, for purpose: MailPurpose) async throws -> Int? {
        try await read(
            """
            select user_id from auth.mail_tokens where token_hash = \(token.hash)
                and purpose = \(purpose.rawValue) and expires_at > clock_timestamp()
            """
        ).first?.decode(Int.self)
    }

    func isEmailConfirmed(ofUser id: Int) async throws -> Bool {
        try await read("select email_confirmed_at is not null from auth.users where id = \(id)")
            .first?.decode(Bool.self) ?? false
    }
}

extension PostgresTransaction {
    /// Uses the token up, and with it all others of the user for this purpose. The user's row is locked first, so that
    /// of any number of parallel calls one is told the user.
    func useMailToken(_ token: MailToken, for purpose: MailPurpose) async throws -> Int? {
        guard let user = try await user(ofMailToken: token, for: purpose) else { return nil }
        try await query("select 1 from auth.users where id = \(user) for update")
        let used = try await query(
            """
            delete from auth.mail_tokens where token_hash = \(token.hash) and expires_at > clock_timestamp()
            returning user_id
            """)
        guard !used.isEmpty else { return nil }
        try await query("delete from auth.mail_tokens where user_id = \(user) and purpose = \(purpose.rawValue)")
        return user
    }

    /// - Parameter hash: nil: the password stays. Whoever has read a mail to the address has confirmed it.
    func confirmEmail(
        ofUser id: Int, passwordHash hash: String?, as event: AuditEvent, _ origin: RequestOrigin
    ) async throws {
        try await query(
            """
            with changed as (
                update auth.users set
                    email_confirmed_at = coalesce(email_confirmed_at, clock_timestamp()),
                    password_hash = coalesce(\(hash)::text, password_hash), updated_at = clock_timestamp()
                where id = \(id) returning id as user_id, null::bigint as session_id
            ), audited as (\(sql: .audit(event, of: "changed", origin)))
            select user_id from changed
            """)
    }
}
