import Foundation
import Shared
import TestSupport
import Testing

/// Statements that share a connection, and what one of them can do to the others.
@Suite struct PostgresPipelineTests {
    @Test func aFailingStatementLeavesItsNeighboursRight() async throws {
        try await withTestDatabase(configure: { $0.connections = 2 }) { db, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<600 {
                    group.addTask {
                        switch number % 6 {
                        case 0: await Self.expectFailure("22012") { try await db.read("select 1 / \(0)") }
                        case 1: await Self.expectFailure("42601") { try await db.read("selec \(number)") }
                        case 2:
                            await Self.expectFailure("42P01") {
                                try await db.read("select * from missing_\(unsafeRaw: String(number))")
                            }
                        default:
                            let back = try await db.read("select \(number), \(String(number))")[0].decode(
                                Int.self, String.self)
                            #expect(back == (number, String(number)))
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(db.statistics.open == 1)
        }
    }

    private static func expectFailure(_ sqlState: String, _ body: () async throws -> PostgresRows) async {
        let error = await #expect(throws: PostgresError.self) { _ = try await body() }
        #expect(error?.sqlState == sqlState)
        #expect(error?.kind == .server)
    }

    @Test func aResultLargerThanTheReadBufferArrivesWhole() async throws {
        try await withTestDatabase { db, _ in
            async let many = db.read("select n, repeat('x', 100) from generate_series(1, 200000) n")
            async let wide = db.read("select repeat('y', 30000000)")
            async let small = db.read("select 1")
            let (rows, text, one) = try await (many, wide, small)
            #expect(rows.count == 200_000)
            #expect(try rows[199_999].decode(Int.self, String.self).0 == 200_000)
            #expect(text[0].withColumns { $0[0]?.count } == 30_000_000)
            #expect(try one[0].decode(Int.self) == 1)
        }
    }

    @Test func aConstraintViolationCarriesItsNamesAndNoValues() async throws {
        try await withTestDatabase { db, _ in
            try await db.query(
                """
                create table accounts (
                    email text constraint accounts_email_key unique, n int constraint n_positive check (n > 0))
                """
            )
            try await db.query("insert into accounts values (\("hidden@example.org"), 1)")
            let error = await #expect(throws: PostgresError.self) {
                try await db.query("insert into accounts values (\("hidden@example.org"), 1)")
            }
            #expect(error?.sqlState == "23505")
            #expect(error?.violatedConstraint == "accounts_email_key")
            #expect(error?.table == "accounts")
            #expect(error?.outcomeUnknown == false)
            for sql in [
                "select \("hidden-4711")::text::uuid", "select \("hidden-4711")::text::bigint",
                "insert into accounts values (\("hidden-4711"), -4711)",
            ] as [SQL] {
                let other = await #expect(throws: PostgresError.self) { try await db.query(sql) }
                #expect(other.map { "\($0)" }?.contains("4711") == false)
            }
        }
    }

    @Test func anErrorThatComesWithTheCommitReachesTheCaller() async throws {
        try await withTestDatabase { db, _ in
            try await db.query("create table parents (id bigint primary key)")
            try await db.query(
                """
                create table children (
                    parent bigint constraint child_parent references parents deferrable initially deferred)
                """
            )
            let alone = await #expect(throws: PostgresError.self) {
                try await db.query("insert into children values (1)")
            }
            #expect(alone?.violatedConstraint == "child_parent")
            let inside = await #expect(throws: PostgresError.self) {
                try await db.withTransaction { tx in try await tx.query("insert into children values (1)") }
            }
            #expect(inside?.violatedConstraint == "child_parent")
            #expect(inside?.outcomeUnknown == false)
            #expect(try await db.value("select count(*) from children", Int.self) == 0)
        }
    }

    @Test func aCommitAfterASwallowedErrorIsAnError() async throws {
        try await withTestDatabase { db, _ in
            try await db.query("create table t (n bigint)")
            let error = await #expect(throws: PostgresError.self) {
                try await db.withTransaction { tx in
                    try await tx.query("insert into t values (1)")
                    _ = try? await tx.query("select 1 / 0")
                }
            }
            #expect(error?.sqlState == "25P02")
            #expect(try await db.value("select count(*) from t", Int.self) == 0)
        }
    }

    @Test func aStatementOutlivesAChangeOfItsTable() async throws {
        try await withTestDatabase { db, _ in
            try await db.query("create table t (n bigint)")
            try await db.query("insert into t values (1)")
            for _ in 0..<3 {
                #expect(try await db.read("select * from t")[0].columnCount == 1)
                #expect(try await db.query("select * from t")[0].columnCount == 1)
            }
            try await db.query("alter table t add m text")
            #expect(try await db.read("select * from t")[0].columnCount == 2)
            #expect(try await db.query("select * from t")[0].columnCount == 2)
        }
    }

    @Test func preparedStatementsAreBoundedAndForgottenOnesComeBack() async throws {
        try await withTestDatabase(configure: { ($0.connections, $0.preparedStatementsMax) = (2, 10) }) { db, _ in
            for round in 0..<3 {
                for number in 0..<30 {
                    let raw = String(number)
                    let expected = number + round
                    let shared = try await db.value("select \(unsafeRaw: raw) + \(round)", Int.self)
                    #expect(shared == expected)
                    #expect(try await db.value(querying: "select \(unsafeRaw: raw) + \(round)", Int.self) == expected)
                }
            }
            #expect(try await db.value("select count(*) from pg_prepared_statements", Int.self) <= 10)
            #expect(try await db.value(querying: "select count(*) from pg_prepared_statements", Int.self) <= 10)
        }
    }

    @Test func readsCannotWrite() async throws {
        try await withTestDatabase { db, _ in
            try await db.query("create table t (n bigint)")
            let error = await #expect(throws: PostgresError.self) { try await db.read("insert into t values (1)") }
            #expect(error?.sqlState == "25006")
        }
    }

    @Test func aSessionLeftInATransactionIsNotHandedOn() async throws {
        try await withTestDatabase(configure: { $0.connections = 2 }) { db, _ in
            let first = try await db.query("select pg_backend_pid()")[0].decode(Int.self)
            try await db.query("begin")
            let second = try await db.query("select pg_backend_pid()")[0].decode(Int.self)
            #expect(first != second)
        }
    }

    @Test func relaxedStatementsSetTheirDurabilityForThemselvesOnly() async throws {
        try await withTestDatabase(configure: { $0.connections = 2 }) { db, _ in
            let show: SQL = "select current_setting('synchronous_commit')"
            let alone = try await db.query(show, durability: .relaxed)[0].decode(String.self)
            #expect(alone == "off")
            #expect(try await db.value(querying: show, String.self) == "on")
            let inside = try await db.withTransaction(durability: .relaxed) {
                try await $0.query(show)[0].decode(String.self)
            }
            #expect(inside == "off")
            #expect(try await db.value(querying: show, String.self) == "on")
        }
    }

    @Test func theSessionIsSetUpAsPromised() async throws {
        let configure: (inout PostgresSettings) -> Void = { settings in
            settings.applicationName = "of-the-test"
            settings.statementTimeout = .seconds(30)
            settings.idleInTransactionTimeout = .seconds(60)
        }
        try await withTestDatabase(configure: configure) { db, _ in
            for name in [
                "TimeZone=UTC", "statement_timeout=30s", "idle_in_transaction_session_timeout=1min",
                "client_encoding=UTF8", "application_name=of-the-test",
            ] {
                let parts = name.split(separator: "=").map(String.init)
                let value = try await db.value("select current_setting(\(parts[0]))", String.self)
                #expect(value == parts[1])
            }
        }
    }
}
