import Foundation
import Shared

/// An account as checking a password needs it.
struct StoredAccount: Sendable {
    let id: Int
    let email: String
    let name: String
    let passwordHash: String
}

/// What a user may read of their own account.
struct Profile: Sendable, Codable {
    let userID: Int
    let email: String
    let name: String
    let createdAt: Timestamp

    private enum CodingKeys: String, CodingKey {
        case userID = "user_id"
        case email, name
        case createdAt = "created_at"
    }
}

/// Somebody else has this e-mail address.
struct EmailTaken: Error {}

extension PostgresQuerying {
    func account(email: EmailAddress) async throws -> StoredAccount? {
        try await read("select id, email, name, password_hash from auth.users where email = \(email.text)")
            .first.map(StoredAccount.init)
    }

    func account(id: Int) async throws -> StoredAccount? {
        try await read("select id, email, name, password_hash from auth.users where id = \(id)")
            .first.map(StoredAccount.init)
    }

    /// - Throws: `EmailTaken`; the transaction is then of no more use.
    func insertAccount(
        email: EmailAddress, name: PersonName, passwordHash: String, _ origin: RequestOrigin
    ) async throws -> StoredAccount {
        do {
            let rows = try await query(
                """
                with made as (
                    insert into auth.users (email, name, password_hash)
                    values (\(email.text), \(name.text), \(passwordHash))
                    returning id as user_id, null::bigint as session_id
                ), audited as (\(sql: .audit(.registered, of: "made", origin)))
                select user_id from made
                """)
            let id = try rows[0].decode(Int.self)
            return StoredAccount(id: id, email: email.text, name: name.text, passwordHash: passwordHash)
        } catch let error as PostgresError where error.constraint == "users_email_is_unique" {
            throw EmailTaken()
        }
    }

    func profile(ofUser id: Int) async throws -> Profile? {
        try await read("select id, email, name, created_at from auth.users where id = \(id)")
            .first.map(Profile.init)
    }

    /// Tells every replica at the commit.
    /// - Returns: nil when there is no such user any more.
    func rename(user id: Int, to name: PersonName, _ origin: RequestOrigin) async throws -> Profile? {
        try await query(
            """
            with changed as (
                update auth.users set name = \(name.text), updated_at = clock_timestamp() where id = \(id)
                returning id as user_id, null::bigint as session_id, email, name, created_at
            ), audited as (\(sql: .audit(.profileChanged, of: "changed", origin)))
            select user_id, email, name, created_at, pg_notify(\(ProfileAnswers.channel), user_id::text)::text
            from changed
            """
        ).first.map { row in
            let (id, email, name, createdAt, _) = try row.decode(
                Int.self, String.self, String.self, Timestamp.self, String?.self)
            return Profile(userID: id, email: email, name: name, createdAt: createdAt)
        }
    }

    /// Stores a new hash in place of the one that was verified.
    /// - Returns: false when that one is not the stored one any more; nothing has changed then.
    func replacePasswordHash(
        of account: StoredAccount, with hash: String, as event: AuditEvent, _ origin: RequestOrigin
    ) async throws -> Bool {
        let rows = try await query(
            """
            with changed as (
                update auth.users set password_hash = \(hash), updated_at = clock_timestamp()
                where id = \(account.id) and password_hash = \(account.passwordHash)
                returning id as user_id, null::bigint as session_id
            ), audited as (\(sql: .audit(event, of: "changed", origin)))
            select user_id from changed
            """)
        return !rows.isEmpty
    }

    /// Everything that belongs to the user goes with the row: sessions (each is revoked), conversations, files, work.
    /// - Returns: false when the verified hash is not the stored one any more.
    func deleteAccount(_ account: StoredAccount, _ origin: RequestOrigin) async throws -> Bool {
        let rows = try await query(
            """
            with deleted as (
                delete from auth.users where id = \(account.id) and password_hash = \(account.passwordHash)
                returning id as user_id, null::bigint as session_id
            ), audited as (\(sql: .audit(.accountDeleted, of: "deleted", origin)))
            select user_id from deleted
            """)
        return !rows.isEmpty
    }
}

extension StoredAccount {
    fileprivate init(_ row: PostgresRow) throws {
        (id, email, name, passwordHash) = try row.decode(Int.self, String.self, String.self, String.self)
    }
}

extension Profile {
    fileprivate init(_ row: PostgresRow) throws {
        (userID, email, name, createdAt) = try row.decode(Int.self, String.self, String.self, Timestamp.self)
    }
}
