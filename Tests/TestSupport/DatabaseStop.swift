package import Shared

/// A place in the database at which whoever comes by waits until the test lets go: a trigger, made by the test, that
/// waits for an advisory lock. So a service can be caught between two steps without knowing of it.
package struct DatabaseStop: Sendable {
    private static let key = 7_331

    private let trigger: String
    private let table: String

    /// - Parameters:
    ///   - timing: `before insert`, `after update` and so on; `at commit of insert`: when the transaction commits.
    ///   - table: with its schema.
    ///   - condition: of the row, in terms of `new` and `old`.
    package init(_ timing: String, on table: String, when condition: String = "true") {
        self.table = table
        let atCommit = "at commit of "
        trigger =
            timing.hasPrefix(atCommit)
            ? """
            create constraint trigger test_stop after \(timing.dropFirst(atCommit.count)) on \(table)
            deferrable initially deferred for each row when (\(condition)) execute function test_stop()
            """
            : """
            create trigger test_stop \(timing) on \(table) for each row when (\(condition))
            execute function test_stop()
            """
    }

    /// Runs `body` while the stop is there; who waits at its end goes on.
    package func hold<R: Sendable>(
        _ database: PostgresDatabase, _ body: @Sendable () async throws -> R
    ) async throws -> R {
        try await database.query(
            """
            create or replace function test_stop() returns trigger language plpgsql as $$ begin
                perform pg_advisory_xact_lock_shared(\(unsafeRaw: "\(Self.key)"));
                return coalesce(new, old);
            end $$
            """)
        try await database.query("\(unsafeRaw: trigger)")
        let result: Result<R, any Error>
        do {
            result = .success(
                try await database.withTransaction { transaction in
                    try await transaction.query("select pg_advisory_xact_lock(\(Self.key))")
                    return try await body()
                })
        } catch { result = .failure(error) }
        try await database.query("drop trigger test_stop on \(unsafeRaw: table)")
        return try result.get()
    }

    /// The backends that wait at the stop. Advisory locks belong to a database; other tests use the same server.
    package static func waiting(_ database: PostgresDatabase) async throws -> [Int] {
        try await database.query(
            """
            select pid::bigint from pg_locks
            where locktype = 'advisory' and objid = \(key)::bigint and not granted
                and database = (select oid from pg_database where datname = current_database())
            """
        ).map { try $0.decode(Int.self) }
    }

    /// Returns when somebody waits at the stop.
    package static func reached(_ database: PostgresDatabase) async throws {
        _ = try await polling(for: "somebody at the stop", atMost: .seconds(120), every: .milliseconds(20)) {
            try await waiting(database).isEmpty ? nil : true
        }
    }

    /// Ends the backends that wait at the stop, as the end of their client would once it is noticed: what they were
    /// about to do is not done.
    package static func abort(_ database: PostgresDatabase) async throws {
        for backend in try await waiting(database) {
            try await database.query("select pg_terminate_backend(\(backend)::int)")
        }
        _ = try await polling(for: "the end of the backends", atMost: .seconds(20)) {
            try await waiting(database).isEmpty ? true : nil
        }
    }
}
