import Shared
import TestSupport
import Testing

extension Tag {
    /// Too long for every run: part of `Tests/run --all`, which a release needs.
    @Tag static var release: Self
}

/// Many statements of every kind at once; `Tests/run --all` runs them under the thread sanitizer as well.
@Suite struct PostgresSoakTests {
    private static let clients = 50

    @Test(.timeLimit(.minutes(5))) func tenThousandStatementsGetTheirOwnAnswers() async throws {
        try await expectOwnAnswers(statements: 10_000)
    }

    @Test(.timeLimit(.minutes(20)), .tags(.release))
    func aHundredThousandStatementsGetTheirOwnAnswers() async throws {
        try await expectOwnAnswers(statements: 100_000)
    }

    private func expectOwnAnswers(statements: Int) async throws {
        try await withTestDatabase(configure: { $0.connections = 6 }) { db, _ in
            try await db.query("create table soak (client bigint primary key, n bigint not null)")
            let listener = Task { await db.listen(to: ["soak"]).reduce(into: 0) { count, _ in count += 1 } }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<Self.clients {
                    group.addTask {
                        try await db.query("insert into soak values (\(client), 0)")
                        for number in 0..<statements / Self.clients { try await self.step(db, client, number) }
                    }
                }
                try await group.waitForAll()
            }
            // Of ten steps one adds in a transaction and one alone.
            let expected = statements / 10 * 2
            #expect(try await db.value("select sum(n)::bigint from soak", Int.self) == expected)
            #expect(db.statistics.open <= 6)
            listener.cancel()
            _ = await listener.value
        }
    }

    private func step(_ db: PostgresDatabase, _ client: Int, _ number: Int) async throws {
        switch number % 10 {
        case 0:
            try await db.withTransaction(durability: .relaxed) { tx in
                try await tx.query("update soak set n = n + 1 where client = \(client)")
            }
        case 1: try await db.query("update soak set n = n + 1 where client = \(client)", durability: .relaxed)
        case 2: await #expect(throws: PostgresError.self) { try await db.read("select 1 / \(number - number)") }
        case 3:
            let task = Task { try await db.value("select \(number)", Int.self) }
            task.cancel()
            if case .success(let back) = await task.result { #expect(back == number) }
        case 4: try await db.query("select pg_notify('soak', \(String(number)))")
        case 5: #expect(try await db.value(querying: "select \(number)", Int.self) == number)
        default:
            let rows = try await db.read("select n, \(client) from generate_series(1, \(number % 50)) n")
            #expect(rows.count == number % 50)
            for row in rows { #expect(try row.decode(Int.self, Int.self).1 == client) }
        }
    }
}
