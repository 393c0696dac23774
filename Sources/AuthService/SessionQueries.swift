import Foundation
import Shared

/// How long sessions and the access tokens they give out live.
struct SessionLimits: Sendable {
    /// A new sign-in beyond it ends the session of the user that was idle for longest.
    static let sessionsPerUserMax = 100
    /// For how long the token just replaced still yields its successor: two tabs, a lost answer.
    static let refreshGraceSeconds = 10
    /// The verifier's leeway, and as much for clocks that differ between service and database.
    static let accessTokenSlackSeconds = 60

    let accessTokenSeconds: Int
    let idleDays: Int
    /// However busy the session.
    var absoluteDays: Int { 3 * idleDays }

    init(accessTokenSeconds: Int, idleDays: Int) {
        (self.accessTokenSeconds, self.idleDays) = (accessTokenSeconds, idleDays)
    }

    /// Seconds since 1970 after which no token signed until now is accepted.
    var lastExpiry: Int {
        Int(Date().timeIntervalSince1970) + accessTokenSeconds + Self.accessTokenSlackSeconds
    }

    /// SQL for the moment from which no token signed now is accepted.
    fileprivate var accessUntil: SQL {
        "clock_timestamp() + make_interval(secs => \(Double(accessTokenSeconds + Self.accessTokenSlackSeconds)))"
    }

    fileprivate func fromNow(days: Int) -> SQL {
        "clock_timestamp() + make_interval(secs => \(Double(days) * 86_400))"
    }
}

/// A session as the API lists it.
struct ListedSession: Sendable, Codable {
    let id: Int
    let createdAt: Timestamp
    let lastUsedAt: Timestamp
    let ip: String
    let userAgent: String
    let current: Bool

    private enum CodingKeys: String, CodingKey {
        case id, ip, current
        case createdAt = "created_at"
        case lastUsedAt = "last_used_at"
        case userAgent = "user_agent"
    }
}

/// What a refresh found: whose session it is, and the hash of the refresh token that is now the current one.
struct RefreshedSession: Sendable {
    let sid: UUID
    let user: SignedInUser
    let refreshHash: [UInt8]
}

extension PostgresQuerying {
    /// - Returns: the `sid`; nil when the account's password is not the verified one any more, or the account is gone.
    func startSession(
        of account: StoredAccount, with token: RefreshToken, limits: SessionLimits, event: AuditEvent?,
        _ origin: RequestOrigin
    ) async throws -> UUID? {
        // `for share` waits for a change of password that is being committed, and then sees it.
        let started: SQL = """
            insert into auth.sessions (user_id, selector_hash, refresh_hash, expires_at, absolute_expires_at,
                access_until, ip, user_agent)
            select id, \(token.selectorHash), \(token.hash), \(sql: limits.fromNow(days: limits.idleDays)),
                \(sql: limits.fromNow(days: limits.absoluteDays)), \(sql: limits.accessUntil),
                \(origin.address), \(origin.userAgent)
            from auth.users where id = \(account.id) and password_hash = \(account.passwordHash) for share
            returning id as session_id, user_id, sid
            """
        let audited: SQL = event.map { ", audited as (\(sql: .audit($0, of: "started", origin)))" } ?? ""
        let sid = try await query("with started as (\(sql: started))\(sql: audited) select sid from started")
            .first.map { try $0.decode(UUID.self) }
        // After the insert: whoever locks a user and sessions locks the user first.
        if sid != nil { try await endIdlestSessions(ofUser: account.id, origin) }
        return sid
    }

    private func endIdlestSessions(ofUser id: Int, _ origin: RequestOrigin) async throws {
        try await query(
            """
            with ended as (
                delete from auth.sessions where id in (
                    select id from auth.sessions where user_id = \(id)
                    order by last_used_at desc, id desc offset \(SessionLimits.sessionsPerUserMax)
                    for update skip locked)
                returning id as session_id, user_id
            ), audited as (\(sql: .audit(.sessionEnded, of: "ended", origin)))
            select session_id from ended
            """)
    }

    /// Rotates in one statement. Of parallel calls with one token the first rotates; the rest wait for its row, are
    /// judged against the new version of it, and find their token to be the one just replaced.
    /// - Returns: nil when the token is neither current nor just replaced.
    func refreshSession(
        _ presented: RefreshToken, successor: RefreshToken, limits: SessionLimits, _ origin: RequestOrigin
    ) async throws -> RefreshedSession? {
        let isCurrent: SQL = "s.refresh_hash = \(presented.hash)"
        let rows = try await query(
            """
            with refreshed as (
                update auth.sessions as s set
                    refresh_hash = case when \(sql: isCurrent) then \(successor.hash) else s.refresh_hash end,
                    previous_hash = \(presented.hash),
                    rotated_at = case when \(sql: isCurrent) then clock_timestamp() else s.rotated_at end,
                    last_used_at = clock_timestamp(),
                    expires_at = least(\(sql: limits.fromNow(days: limits.idleDays)), s.absolute_expires_at),
                    access_until = \(sql: limits.accessUntil),
                    ip = \(origin.address),
                    user_agent = \(origin.userAgent)
                from auth.users as u
                where s.selector_hash = \(presented.selectorHash) and u.id = s.user_id
                    and s.expires_at > clock_timestamp()
                    and (\(sql: isCurrent) or s.previous_hash = \(presented.hash) and s.rotated_at
                        > clock_timestamp() - make_interval(secs => \(Double(SessionLimits.refreshGraceSeconds))))
                returning s.id as session_id, s.sid, s.user_id, u.email, u.name, s.refresh_hash
            ), audited as (\(sql: .audit(.refreshed, of: "refreshed", origin)))
            select sid, user_id, email, name, refresh_hash from refreshed
            """)
        return try rows.first.map { row in
            let (sid, id, email, name, hash) = try row.decode(
                UUID.self, Int.self, String.self, String.self, [UInt8].self)
            return RefreshedSession(sid: sid, user: SignedInUser(id: id, email: email, name: name), refreshHash: hash)
        }
    }

    /// Ends the session whose token was used again: somebody has a copy, and nobody can tell who.
    /// - Returns: the `sid`, nil when there is no such session.
    func endReusedSession(of presented: RefreshToken, _ origin: RequestOrigin) async throws -> UUID? {
        try await endSessions(
            where: "selector_hash = \(presented.selectorHash) and expires_at > clock_timestamp()",
            as: .refreshReused, origin
        ).first
    }

    /// - Returns: the `sid`s of what was ended; each is revoked by the table's trigger.
    func endSession(sid: UUID, _ origin: RequestOrigin) async throws -> [UUID] {
        try await endSessions(where: "sid = \(sid)", as: .loggedOut, origin)
    }

    func endSession(id: Int, ofUser user: Int, _ origin: RequestOrigin) async throws -> [UUID] {
        try await endSessions(where: "id = \(id) and user_id = \(user)", as: .sessionEnded, origin)
    }

    func endSessions(ofUser user: Int, except sid: UUID, _ origin: RequestOrigin) async throws -> [UUID] {
        try await endSessions(where: "user_id = \(user) and sid <> \(sid)", as: .sessionEnded, origin)
    }

    func endAllSessions(ofUser user: Int, _ origin: RequestOrigin) async throws -> [UUID] {
        try await endSessions(where: "user_id = \(user)", as: .sessionEnded, origin)
    }

    private func endSessions(
        where condition: SQL, as event: AuditEvent, _ origin: RequestOrigin
    ) async throws -> [UUID] {
        try await query(
            """
            with ended as (
                delete from auth.sessions where \(sql: condition) returning id as session_id, user_id, sid
            ), audited as (\(sql: .audit(event, of: "ended", origin)))
            select sid from ended
            """
        ).map { try $0.decode(UUID.self) }
    }

    /// The living sessions of a user, last used first; at most `SessionLimits.sessionsPerUserMax` and a few.
    func sessions(ofUser id: Int, current sid: UUID) async throws -> [ListedSession] {
        try await read(
            """
            select id, created_at, last_used_at, ip, user_agent, sid = \(sid) from auth.sessions
            where user_id = \(id) and expires_at > clock_timestamp() order by last_used_at desc, id desc limit 1000
            """
        ).map { row in
            let (id, createdAt, lastUsedAt, ip, userAgent, isCurrent) = try row.decode(
                Int.self, Timestamp.self, Timestamp.self, String.self, String.self, Bool.self)
            return ListedSession(
                id: id, createdAt: createdAt, lastUsedAt: lastUsedAt, ip: ip, userAgent: userAgent, current: isCurrent)
        }
    }
}
