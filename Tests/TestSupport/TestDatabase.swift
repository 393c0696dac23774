import Foundation
package import Logging
package import Shared

/// A database of a test's own, on the server that `PARLEY_TEST_DATABASE_URL` names; `Tests/run` sets it.
package struct TestDatabase: Sendable {
    /// A superuser's URL of the new database.
    package let url: String
    private let name: String
    private let serverURL: String

    /// Creates an empty database.
    package static func make() async throws -> TestDatabase {
        guard let serverURL = ProcessInfo.processInfo.environment["PARLEY_TEST_DATABASE_URL"] else {
            throw TestDatabaseMissing()
        }
        let name = "test_" + UUID().uuidString.lowercased().replacing("-", with: "_")
        try await onServer(serverURL) { try await $0.query("create database \(unsafeRaw: name)") }
        return TestDatabase(url: try replaceDatabase(of: serverURL, with: name), name: name, serverURL: serverURL)
    }

    /// Drops the database, whoever is still connected to it.
    package func drop() async throws {
        try await Self.onServer(serverURL) {
            try await $0.query("drop database if exists \(unsafeRaw: name) with (force)")
        }
    }

    private static func onServer(_ url: String, _ body: (PostgresDatabase) async throws -> Void) async throws {
        let server = PostgresDatabase(settings: settings(url: url), logger: .quiet)
        do { try await body(server) } catch {
            await server.close()
            throw error
        }
        await server.close()
    }

    private static func settings(url: String) -> PostgresSettings {
        var settings = PostgresSettings(url: url)
        settings.connections = 2
        settings.acquireTimeout = .seconds(300)
        return settings
    }

    private static func replaceDatabase(of url: String, with name: String) throws -> String {
        guard var components = URLComponents(string: url) else { throw TestDatabaseMissing() }
        components.path = "/" + name
        return components.string ?? url
    }
}

/// The tests need a server to make their databases on.
package struct TestDatabaseMissing: Error, CustomStringConvertible {
    package var description: String {
        "PARLEY_TEST_DATABASE_URL is not set to a superuser's URL: run the tests through Tests/run, which starts a "
            + "private PostgreSQL and sets it"
    }
}

extension Logger {
    /// Says nothing: for clients whose troubles the test itself looks at.
    package static var quiet: Logger { Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }) }
}

/// Runs `body` with a database of its own and a client for it, and drops the database afterwards.
/// - Parameters:
///   - migrated: whether the schema of both services is there.
///   - configure: changes the client's settings.
package func withTestDatabase<R>(
    migrated: Bool = false, configure: (inout PostgresSettings) -> Void = { _ in },
    _ body: (_ database: PostgresDatabase, _ url: String) async throws -> R
) async throws -> R {
    try await Turnstile.databases.pass {
        try await withOwnDatabase(migrated: migrated, configure: configure, body)
    }
}

private func withOwnDatabase<R>(
    migrated: Bool, configure: (inout PostgresSettings) -> Void,
    _ body: (_ database: PostgresDatabase, _ url: String) async throws -> R
) async throws -> R {
    let test = try await TestDatabase.make()
    var settings = PostgresSettings(url: test.url)
    settings.connections = 4
    // Many tests share two cores: a task may wait for minutes for its next turn.
    settings.acquireTimeout = .seconds(300)
    settings.statementTimeout = .seconds(600)
    settings.idleInTransactionTimeout = .seconds(600)
    configure(&settings)
    let database = PostgresDatabase(settings: settings, logger: .quiet)
    let result: Result<R, any Error>
    do {
        if migrated { try await Migrator().migrate(database, logger: .quiet) }
        result = .success(try await body(database, test.url))
    } catch {
        result = .failure(error)
    }
    await database.close()
    try await test.drop()
    return try result.get()
}

extension PostgresDatabase {
    /// Returns when a statement in this database waits for a lock of another transaction.
    package func waitForALock() async throws {
        _ = try await polling(for: "somebody to wait for a lock", atMost: .seconds(300)) {
            let waiting = try await self.value(
                """
                select count(*) from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock'
                """, Int.self)
            return waiting > 0 ? true : nil
        }
    }
}

extension PostgresQuerying {
    /// The first column of the first row of a `read`.
    package func value<Value: PostgresDecodable>(_ sql: SQL, _: Value.Type = Value.self) async throws -> Value {
        try await read(sql)[0].decode(Value.self)
    }

    /// The first column of the first row of a `query`.
    package func value<Value: PostgresDecodable>(querying sql: SQL, _: Value.Type = Value.self) async throws -> Value {
        try await query(sql)[0].decode(Value.self)
    }
}
