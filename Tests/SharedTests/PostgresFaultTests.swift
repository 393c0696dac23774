import Foundation
import Shared
import Synchronization
import TestSupport
import Testing

/// What happens to callers when connections break and the server goes away.
@Suite struct PostgresFaultTests {
    /// Runs statements until `stop` and one more is answered; each answer must be the one to its own question.
    private func load(on db: PostgresDatabase, _ client: Int, until stop: Stop) async {
        var (isAnswered, number) = (false, client)
        while !isAnswered, !Task.isCancelled {
            let isLast = stop.isSet
            number += 1000
            do {
                let asked = number
                switch number / 1000 % 3 {
                case 0: #expect(try await db.value("select \(asked)", Int.self) == asked)
                case 1: #expect(try await db.value(querying: "select \(asked)", Int.self) == asked)
                default:
                    let back = try await db.withTransaction { tx in
                        try await tx.query("select pg_sleep(0.001)")
                        return try await tx.value("select \(asked)", Int.self)
                    }
                    #expect(back == asked)
                }
                isAnswered = isLast
            } catch {
                let kind = (error as? PostgresError)?.kind
                #expect(kind == .connection || kind == .server, "\(error)")
            }
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func terminatedBackendsCostNoHangNoWrongAnswerAndNoLeak() async throws {
        try await withTestDatabase(configure: { $0.connections = 6 }) { db, url in
            let stop = Stop()
            try await withThrowingTaskGroup { group in
                for client in 0..<24 { group.addTask { await self.load(on: db, client, until: stop) } }
                try await self.terminateBackends(of: url, rounds: 40)
                let ended = ContinuousClock.now
                while await !answers(db) {}
                #expect(ContinuousClock.now - ended < .seconds(5))
                stop.set()
                try await group.waitForAll()
            }
            #expect(db.statistics.open <= 6)
            #expect(db.statistics.waiting == 0)
            // The numbers are published a moment after the last answer; a connection that stayed taken would end the
            // test by its time limit.
            while db.statistics.idle < db.statistics.open { await Task.yield() }
            try await self.expectConnections(atMost: 6, to: url)
        }
    }

    /// Ends one random session of the database each round, from outside.
    private func terminateBackends(of url: String, rounds: Int) async throws {
        var settings = PostgresSettings(url: url)
        (settings.connections, settings.applicationName) = (2, "killer")
        let killer = PostgresDatabase(settings: settings, logger: .quiet)
        for _ in 0..<rounds {
            try await killer.query(
                """
                select pg_terminate_backend(pid), pg_sleep(0.02) from (
                    select pid from pg_stat_activity
                    where datname = current_database() and application_name <> 'killer'
                        and backend_type = 'client backend'
                    order by random() limit 1) victim
                """)
        }
        await killer.close()
    }

    /// Waits until the server counts no more sessions than that; it takes note of a closed one a little later.
    private func expectConnections(atMost limit: Int, to url: String) async throws {
        var settings = PostgresSettings(url: url)
        (settings.connections, settings.applicationName) = (2, "counter")
        let counter = PostgresDatabase(settings: settings, logger: .quiet)
        try await counter.query(
            """
            do $$ begin
                for round in 1..1000 loop
                    perform pg_stat_clear_snapshot();
                    exit when (select count(*) from pg_stat_activity where datname = current_database()
                        and application_name <> 'counter'
                        and backend_type = 'client backend') <= \(unsafeRaw: String(limit));
                    if round = 1000 then raise exception 'too many sessions'; end if;
                    perform pg_sleep(0.01);
                end loop;
            end $$
            """)
        await counter.close()
    }

    @Test(.timeLimit(.minutes(5))) func aStoppedServerIsNoticedAndAStartedOneIsFoundWithinFiveSeconds() async throws {
        let postgres = try await PrivatePostgres.make()
        var settings = PostgresSettings(url: postgres.url)
        settings.acquireTimeout = .milliseconds(300)
        let db = PostgresDatabase(settings: settings, logger: .quiet)
        while await !answers(db) {}
        for immediately in [false, true] {
            try await postgres.stop(immediately: immediately)
            let error = await #expect(throws: PostgresError.self) { try await db.query("select 1") }
            #expect(error?.kind == .connection)
            #expect(error?.isUnavailable == true)
            await #expect(throws: PostgresError.self) { try await db.ping() }
            try await postgres.start()
            let started = ContinuousClock.now
            while await !answers(db) {}
            #expect(ContinuousClock.now - started < .seconds(5))
        }
        await db.close()
        try await postgres.remove()
    }

    private func answers(_ db: PostgresDatabase) async -> Bool {
        await Result { try await db.value("select 1", Int.self) }.isSuccess
    }

    @Test(.timeLimit(.minutes(5))) func aCommittedTransactionIsThereAndALostOneIsNotUnknown() async throws {
        try await withTestDatabase { db, _ in
            try await db.query("create table t (n bigint)")
            let inTransaction = await #expect(throws: PostgresError.self) {
                try await db.withTransaction { tx in
                    try await tx.query("insert into t values (1)")
                    try await tx.query("select pg_terminate_backend(pg_backend_pid())")
                }
            }
            #expect(inTransaction?.outcomeUnknown == false)
            let alone = await #expect(throws: PostgresError.self) {
                try await db.query("insert into t select 2 where pg_terminate_backend(pg_backend_pid())")
            }
            #expect(alone?.kind == .connection)
            #expect(alone?.outcomeUnknown == true)
            #expect(try await db.value("select count(*) from t where n = 1", Int.self) == 0)
        }
    }

    @Test(.timeLimit(.minutes(5))) func aReadThatKillsItsConnectionEveryTimeEndsInAnError() async throws {
        try await withTestDatabase { db, _ in
            let error = await #expect(throws: PostgresError.self) {
                _ = try await db.read("select pg_terminate_backend(pg_backend_pid())")
            }
            #expect(error?.kind == .connection)
            #expect(error?.outcomeUnknown == false)
            let one = try await db.value("select 1", Int.self)
            #expect(one == 1)
        }
    }

    @Test(.timeLimit(.minutes(5))) func listeningSurvivesItsConnection() async throws {
        try await withTestDatabase { db, _ in
            var events = db.listen(to: ["door bell", "other"]).makeAsyncIterator()
            #expect(await events.next() == .listening)
            for round in 1...3 {
                try await db.query("select pg_notify('door bell', \("ring \(round)"))")
                #expect(await events.next() == .notification(channel: "door bell", payload: "ring \(round)"))
                try await db.query(
                    """
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and query like 'listen %'
                    """)
                #expect(await events.next() == .listening)
            }
        }
    }

    @Test(.timeLimit(.minutes(5))) func severalListenersHearTheirOwnChannelsOnOneConnection() async throws {
        try await withTestDatabase { db, _ in
            var one = db.listen(to: ["a"]).makeAsyncIterator()
            #expect(await one.next() == .listening)
            var both = db.listen(to: ["a", "b"]).makeAsyncIterator()
            #expect(await both.next() == .listening)
            try await db.query("select pg_notify('b', '1'), pg_notify('a', '2')")
            #expect(await one.next() == .notification(channel: "a", payload: "2"))
            #expect(await both.next() == .notification(channel: "b", payload: "1"))
            #expect(await both.next() == .notification(channel: "a", payload: "2"))
            let listening = try await db.value(
                "select count(*) from pg_stat_activity where datname = current_database() and query like 'listen %'",
                Int.self)
            #expect(listening == 1)
            await db.close()
            #expect(await one.next() == nil)
        }
    }
}

/// Tells running tasks to end.
final class Stop: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }

    var isSuccess: Bool { if case .success = self { true } else { false } }
}
