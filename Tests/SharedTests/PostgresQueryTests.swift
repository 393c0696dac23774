import Foundation
import Shared
import TestSupport
import Testing

@Suite struct PostgresQueryTests {
    @Test func aStatementBindsItsValuesAndReturnsTypedRows() async throws {
        try await withTestDatabase { db, _ in
            let rows = try await db.read("select \(7) + 1, \("it's; drop table x") || '!', \(nil as Int?)")
            let (number, text, nothing) = try rows[0].decode(Int.self, String.self, Int?.self)
            #expect(number == 8)
            #expect(text == "it's; drop table x!")
            #expect(nothing == nil)
        }
    }

    @Test func aTransactionThatThrowsLeavesNothing() async throws {
        struct Stop: Error {}
        try await withTestDatabase { db, _ in
            try await db.query("create table t (n bigint)")
            await #expect(throws: Stop.self) {
                try await db.withTransaction { tx in
                    try await tx.query("insert into t values (1)")
                    throw Stop()
                }
            }
            try await db.withTransaction { tx in try await tx.query("insert into t values (2)") }
            let rows = try await db.read("select n from t")
            let numbers = try rows.map { try $0.decode(Int.self) }
            #expect(numbers == [2])
        }
    }

    @Test func theEmbeddedMigrationsApplyAndThenNothingIsPending() async throws {
        try await withTestDatabase(migrated: true) { db, _ in
            let pending = try await Migrator().pending(db, logger: .quiet)
            #expect(pending.isEmpty)
            let count = try await db.read("select count(*) from auth.users")[0].decode(Int.self)
            #expect(count == 0)
        }
    }
}
