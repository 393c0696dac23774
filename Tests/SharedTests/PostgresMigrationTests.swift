import Foundation
import Shared
import TestSupport
import Testing

@Suite struct PostgresMigrationTests {
    private let first = Migration(number: 1, name: "first", sql: "create table a (n bigint); insert into a values (1);")
    private let second = Migration(number: 2, name: "second", sql: "create table b (n bigint);\n-- the end\n")

    @Test(.timeLimit(.minutes(5))) func severalReplicasMayStartAtOnce() async throws {
        try await withTestDatabase { db, url in
            let migrator = Migrator(migrations: [second, first])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        let replica = PostgresDatabase(settings: PostgresSettings(url: url), logger: .quiet)
                        try await migrator.migrate(replica, logger: .quiet)
                        await replica.close()
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await db.value("select count(*) from a", Int.self) == 1)
            #expect(
                try await db.value("select array_agg(name order by number) from parley.migrations") == [
                    "first", "second",
                ])
            #expect(try await migrator.pending(db, logger: .quiet).isEmpty)
        }
    }

    @Test func aChangedReleasedFileRefusesTheStart() async throws {
        try await withTestDatabase { db, _ in
            try await Migrator(migrations: [first]).migrate(db, logger: .quiet)
            let changed = Migration(number: 1, name: "first", sql: first.sql + " ")
            let error = await #expect(throws: PostgresError.self) {
                try await Migrator(migrations: [changed, second]).migrate(db, logger: .quiet)
            }
            #expect(error?.kind == .migration)
            #expect(error?.message == "migration 1 first was changed after it had been applied")
            #expect(try await db.value("select to_regclass('b') is null", Bool.self))
        }
    }

    @Test func aMissingFileRefusesTheStartAndANewerDatabaseDoesNot() async throws {
        try await withTestDatabase { db, _ in
            try await Migrator(migrations: [first, second]).migrate(db, logger: .quiet)
            let error = await #expect(throws: PostgresError.self) {
                try await Migrator(migrations: [second]).migrate(db, logger: .quiet)
            }
            #expect(error?.message == "the database has migration 1 first, which this program lacks")
            try await Migrator(migrations: [first]).migrate(db, logger: .quiet)
        }
    }

    @Test func aMigrationInsertedBetweenAppliedOnesRefusesTheStart() async throws {
        try await withTestDatabase { db, _ in
            try await Migrator(migrations: [second]).migrate(db, logger: .quiet)
            let error = await #expect(throws: PostgresError.self) {
                try await Migrator(migrations: [first, second]).migrate(db, logger: .quiet)
            }
            #expect(error?.kind == .migration)
        }
    }

    @Test func aFailingMigrationLeavesNothingAndCanBeRepeated() async throws {
        try await withTestDatabase { db, _ in
            let broken = Migration(number: 1, name: "first", sql: "create table a (n bigint); select 1 / 0;")
            let error = await #expect(throws: PostgresError.self) {
                try await Migrator(migrations: [broken]).migrate(db, logger: .quiet)
            }
            #expect(error?.sqlState == "22012")
            #expect(try await db.value("select to_regclass('a') is null", Bool.self))
            #expect(try await Migrator(migrations: [first]).pending(db, logger: .quiet) == [first])
            try await Migrator(migrations: [first]).migrate(db, logger: .quiet)
            #expect(try await db.value("select n from a", Int.self) == 1)
        }
    }

    @Test func everyFileOfTheFolderIsEmbeddedOnceAndUnchanged() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/Shared/Migrations")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
        let names = Migration.embedded.map { migration in
            let digits = String(migration.number)
            return String(repeating: "0", count: 3 - digits.count) + digits + "_" + migration.name + ".sql"
        }
        #expect(names == files.map(\.lastPathComponent))
        for (migration, file) in zip(Migration.embedded, files) {
            #expect(try migration.sql == String(contentsOf: file, encoding: .utf8))
        }
    }

    @Test func theHashIsTheSha256OfTheText() {
        let hash = Migration(number: 1, name: "x", sql: "abc").sha256
        #expect(hash == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
