package import Logging

/// One numbered step of the schema, from a file `NNN_name.sql`. Never changed once it was released.
package struct Migration: Sendable, Equatable {
    package let number: Int
    package let name: String
    package let sql: String

    package init(number: Int, name: String, sql: String) {
        (self.number, self.name, self.sql) = (number, name, sql)
    }

    /// SHA-256 of the text, in hexadecimal.
    package var sha256: String {
        SHA256.hash(data: sql.utf8).map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }
}

/// Brings a database to the schema this program was built for.
///
/// The ledger `parley.migrations` says what was applied. Each migration is one transaction that first takes an advisory
/// lock and then looks whether another replica was faster, so any number of replicas may start at once.
package struct Migrator: Sendable {
    private let migrations: [Migration]
    /// How long one statement of a migration, and the wait for another replica, may take.
    private let limit: Duration

    /// "parley" in ASCII.
    private static let lockKey = 0x7061_726c_6579

    package init(migrations: [Migration] = Migration.embedded, limit: Duration = .seconds(600)) {
        self.migrations = migrations.sorted { $0.number < $1.number }
        self.limit = limit
    }

    /// Applies what is missing. A role that may only read the ledger is enough when nothing is.
    /// - Throws: `PostgresError` of kind `.migration` if a released file was changed, or one is missing in between, or
    ///   this role may not apply what is missing; nothing is applied then.
    package func migrate(_ database: PostgresDatabase, logger: Logger) async throws {
        let missing = try await pending(database, logger: logger)
        guard !missing.isEmpty else { return }
        do {
            try await applyMissing(database, logger: logger)
        } catch let error as PostgresError where error.sqlState == "42501" {
            let names = missing.map { "\($0.number) \($0.name)" }.joined(separator: ", ")
            throw refusal(
                "this role may not apply the migrations that are missing (\(names)): "
                    + "run `AuthService migrate` as the owner of the schemas first, see deploy/roles.sql")
        }
    }

    private func applyMissing(_ database: PostgresDatabase, logger: Logger) async throws {
        try await inTransaction(database) { transaction in
            try await transaction.query("create schema if not exists parley", limit: limit)
            try await transaction.query(
                """
                create table if not exists parley.migrations (
                    number integer primary key, name text not null, sha256 text not null,
                    applied_at timestamptz not null default clock_timestamp())
                """, limit: limit)
            try await transaction.query("grant usage on schema parley to public")
            try await transaction.query("grant select on parley.migrations to public")
        }
        for migration in try await pending(database, logger: logger) {
            try await apply(migration, database, logger: logger)
        }
    }

    /// What this program has and the database has not, in order. A database that is ahead (a rolling upgrade) is
    /// reported and otherwise fine.
    /// - Throws: `PostgresError` of kind `.migration` as `migrate`.
    package func pending(_ database: some PostgresQuerying, logger: Logger) async throws -> [Migration] {
        let applied = try await ledger(database)
        let newest = migrations.last?.number ?? 0
        for entry in applied where entry.number > newest {
            logger.warning(
                "the database is ahead of this program", metadata: ["migration": "\(entry.number) \(entry.name)"])
        }
        for entry in applied where entry.number <= newest { try check(entry) }
        let known = Set(applied.map(\.number))
        let highest = applied.last?.number ?? 0
        let missing = migrations.filter { !known.contains($0.number) }
        if let skipped = missing.first(where: { $0.number < highest }) {
            throw refusal("migration \(skipped.number) \(skipped.name) was never applied, but later ones were")
        }
        return missing
    }

    private struct Entry {
        let number: Int
        let name: String
        let sha256: String
    }

    private func ledger(_ database: some PostgresQuerying) async throws -> [Entry] {
        let isThere = try await database.read("select to_regclass('parley.migrations') is not null")
        guard try isThere[0].decode(Bool.self) else { return [] }
        return try await database.read("select number, name, sha256 from parley.migrations order by number").map {
            let (number, name, sha256) = try $0.decode(Int.self, String.self, String.self)
            return Entry(number: number, name: name, sha256: sha256)
        }
    }

    private func check(_ entry: Entry) throws {
        guard let migration = migrations.first(where: { $0.number == entry.number }) else {
            throw refusal("the database has migration \(entry.number) \(entry.name), which this program lacks")
        }
        guard migration.sha256 == entry.sha256 else {
            throw refusal("migration \(entry.number) \(migration.name) was changed after it had been applied")
        }
    }

    private func apply(_ migration: Migration, _ database: PostgresDatabase, logger: Logger) async throws {
        let isOurs = try await inTransaction(database) { transaction in
            guard try await ledger(transaction).allSatisfy({ $0.number != migration.number }) else { return false }
            try await transaction.script(migration.sql, limit: limit)
            try await transaction.query(
                """
                insert into parley.migrations (number, name, sha256)
                values (\(Int32(migration.number)), \(migration.name), \(migration.sha256))
                """)
            return true
        }
        if isOurs {
            logger.info("applied a migration", metadata: ["migration": "\(migration.number) \(migration.name)"])
        }
    }

    /// A transaction that holds the lock and has the migration's own time limit.
    private func inTransaction<R: Sendable>(
        _ database: PostgresDatabase, _ body: (PostgresTransaction) async throws -> R
    ) async throws -> R {
        try await database.withTransaction { transaction in
            let timeout = String(limit.milliseconds)
            try await transaction.query("select set_config('statement_timeout', \(timeout), true)")
            try await transaction.query("select pg_advisory_xact_lock(\(Self.lockKey))", limit: limit)
            return try await body(transaction)
        }
    }

    private func refusal(_ message: String) -> PostgresError {
        PostgresError(.migration, message)
    }
}
