import Foundation
import Shared
import Synchronization
import TestSupport
import Testing

/// Bounds in number and time, and what cancellation leaves behind.
@Suite struct PostgresWaitingTests {
    /// Holds the only leased connection until released.
    private func occupying<R: Sendable>(
        _ db: PostgresDatabase, _ body: @Sendable () async throws -> R
    ) async throws -> R {
        try await db.withTransaction { tx in
            try await tx.query("select 1")
            return try await body()
        }
    }

    @Test(.timeLimit(.minutes(5))) func anExhaustedPoolRefusesAfterItsTimeAndServesAgain() async throws {
        try await withTestDatabase(configure: { ($0.connections, $0.acquireTimeout) = (2, .seconds(2)) }) {
            db, _ in
            try await occupying(db) {
                let started = ContinuousClock.now
                let error = await #expect(throws: PostgresError.self) { try await db.query("select 1") }
                #expect(error?.kind == .poolExhausted)
                #expect(ContinuousClock.now - started > .milliseconds(1900))
                let inTransaction = await #expect(throws: PostgresError.self) { try await db.withTransaction { _ in } }
                #expect(inTransaction?.kind == .poolExhausted)
                let two = try await db.value("select 2", Int.self)
                #expect(two == 2)
            }
            #expect(try await db.value(querying: "select 3", Int.self) == 3)
        }
    }

    @Test(.timeLimit(.minutes(5))) func moreWaitersThanAllowedAreRefusedAtOnce() async throws {
        try await withTestDatabase(configure: { ($0.connections, $0.waitersMax) = (2, 3) }) { db, _ in
            let waiting = try await occupying(db) {
                let tasks = (0..<3).map { number in Task { try await db.value(querying: "select \(number)", Int.self) }
                }
                while db.statistics.waiting < 3 { await Task.yield() }
                let error = await #expect(throws: PostgresError.self) { try await db.query("select 4") }
                #expect(error?.kind == .poolExhausted)
                return tasks
            }
            for (number, task) in waiting.enumerated() { #expect(try await task.value == number) }
        }
    }

    @Test(.timeLimit(.minutes(5))) func aCancelledWaiterLeavesTheQueue() async throws {
        try await withTestDatabase(configure: { $0.connections = 2 }) { db, _ in
            try await db.query("create table t (n bigint)")
            try await occupying(db) {
                let statement = Task { try await db.query("insert into t values (1)") }
                let transaction = Task {
                    try await db.withTransaction { try await $0.query("insert into t values (2)") }
                }
                while db.statistics.waiting < 2 { await Task.yield() }
                statement.cancel()
                transaction.cancel()
                for result in [await statement.result, await transaction.result] {
                    let error = #expect(throws: PostgresError.self) { try result.get() }
                    #expect(error?.kind == .cancelled)
                    #expect(error?.outcomeUnknown == false)
                }
                while db.statistics.waiting > 0 { await Task.yield() }
            }
            #expect(try await db.value("select count(*) from t", Int.self) == 0)
        }
    }

    @Test(.timeLimit(.minutes(5))) func aCancelledStatementIsStoppedOnTheServerAndItsConnectionIsNotHandedOn()
        async throws
    {
        try await withTestDatabase(configure: { $0.connections = 2 }) { db, _ in
            let slow = Task { try await db.query("select pg_sleep(3600)") }
            try await waitForSleep(db, count: 1)
            slow.cancel()
            let error = await #expect(throws: PostgresError.self) { try await slow.value }
            #expect(error?.kind == .cancelled)
            #expect(error?.outcomeUnknown == true)
            for number in 0..<20 { #expect(try await db.value(querying: "select \(number)", Int.self) == number) }
            try await waitForSleep(db, count: 0)
        }
    }

    @Test(.timeLimit(.minutes(5))) func aCancelledTransactionIsRolledBackAndItsConnectionIsNotHandedOn() async throws {
        try await withTestDatabase(configure: { $0.connections = 2 }) { db, _ in
            try await db.query("create table t (n bigint)")
            let slow = Task {
                try await db.withTransaction { tx in
                    try await tx.query("insert into t values (1)")
                    try await tx.query("select pg_sleep(3600)")
                }
            }
            try await waitForSleep(db, count: 1)
            slow.cancel()
            let error = await #expect(throws: PostgresError.self) { try await slow.value }
            #expect(error?.kind == .cancelled)
            #expect(try await db.value(querying: "select count(*) from t", Int.self) == 0)
            try await db.query("drop table t")
        }
    }

    @Test(.timeLimit(.minutes(5))) func aCancelledReadLeavesItsNeighboursRight() async throws {
        try await withTestDatabase(configure: { $0.connections = 2 }) { db, _ in
            let slow = Task { try await db.read("select 'slow', pg_sleep(0.3)") }
            let neighbours = (0..<50).map { number in Task { try await db.value("select \(number)", Int.self) } }
            slow.cancel()
            let error = await #expect(throws: PostgresError.self) { try await slow.value }
            #expect(error?.kind == .cancelled)
            for (number, task) in neighbours.enumerated() {
                let answer = try await task.value
                #expect(answer == number)
            }
        }
    }

    @Test(.timeLimit(.minutes(5))) func aTaskCancelledBeforeItAsksSendsNothing() async throws {
        try await withTestDatabase { db, _ in
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                return try await db.query("select 1")
            }
            task.cancel()
            let error = await #expect(throws: PostgresError.self) { try await task.value }
            #expect(error?.kind == .cancelled)
            #expect(db.statistics.open == 0)
        }
    }

    @Test(.timeLimit(.minutes(5))) func aStatementThatTakesTooLongIsATimeout() async throws {
        try await withTestDatabase(configure: { $0.statementTimeout = .milliseconds(100) }) { db, _ in
            for attempt in [{ try await db.read($0) }, { try await db.query($0) }]
                as [@Sendable (SQL) async throws -> PostgresRows]
            {
                let error = await #expect(throws: PostgresError.self) { _ = try await attempt("select pg_sleep(20)") }
                #expect(error?.kind == .timeout)
                #expect(error?.outcomeUnknown == false)
            }
            let one = try await db.value("select 1", Int.self)
            #expect(one == 1)
        }
    }

    @Test(.timeLimit(.minutes(5))) func theClientGivesUpByItselfWhenTheServerDoesNot() async throws {
        try await withTestDatabase(configure: { ($0.statementTimeout, $0.connections) = (.milliseconds(300), 2) }) {
            db, _ in
            let endless: SQL = "select set_config('statement_timeout', '0', false), pg_sleep(0)"
            try await db.query(endless)
            let error = await #expect(throws: PostgresError.self) { try await db.query("select pg_sleep(3600)") }
            #expect(error?.kind == .timeout)
            #expect(error?.outcomeUnknown == true)
            try await waitForSleep(db, count: 0)
        }
    }

    @Test(.timeLimit(.minutes(5))) func aClosedClientRefusesAndLeavesNoConnection() async throws {
        try await withTestDatabase { observer, url in
            var settings = PostgresSettings(url: url)
            settings.applicationName = "closing"
            let db = PostgresDatabase(settings: settings, logger: .quiet)
            let running = Task { try await db.query("select pg_sleep(3600)") }
            var events = db.listen(to: ["x"]).makeAsyncIterator()
            #expect(await events.next() == .listening)
            try await waitForSleep(observer, count: 1)
            await db.close()
            await db.close()
            let ended = await #expect(throws: PostgresError.self) { try await running.value }
            #expect(ended?.kind == .closed)
            let refused = await #expect(throws: PostgresError.self) { try await db.read("select 1") }
            #expect(refused?.kind == .closed)
            let inTransaction = await #expect(throws: PostgresError.self) { try await db.withTransaction { _ in } }
            #expect(inTransaction?.kind == .closed)
            #expect(db.statistics == PostgresStatistics())
            try await observer.query(
                """
                select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and application_name = 'closing'
                """
            )
            while try await observer.value(
                """
                select count(*) from pg_stat_activity
                where application_name = 'closing' and datname = current_database()
                """,
                Int.self) > 0
            {}
        }
    }

    @Test func aTransactionThatIsOverRunsNothing() async throws {
        try await withTestDatabase { db, _ in
            let leaked = try await db.withTransaction { tx in
                try await tx.query("select 1")
                return tx
            }
            await #expect(throws: PostgresError.self) { try await leaked.query("select 1") }
            #expect(try await db.value(querying: "select 1", Int.self) == 1)
        }
    }

    /// Waits until so many sessions of this database run `pg_sleep(3600)`.
    private func waitForSleep(_ db: PostgresDatabase, count: Int) async throws {
        let running: SQL =
            """
            select count(*) from pg_stat_activity
            where datname = current_database() and state = 'active' and query like '%pg_sleep(3600)%'
                and pid <> pg_backend_pid()
            """
        while try await db.value(running, Int.self) != count {}
    }
}
