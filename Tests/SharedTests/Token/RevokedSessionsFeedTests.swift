import Foundation
import Logging
import Shared
import TestSupport
import Testing

/// Against a real PostgreSQL with the real schema.
@Suite("Revoked sessions feed")
struct RevokedSessionsFeedTests {
    private func revoke(_ session: UUID, on database: PostgresDatabase, minutes: Int = 10) async throws {
        let expiry = Date(timeIntervalSinceNow: Double(minutes) * 60)
        try await database.query("insert into auth.revoked_sessions (sid, expires_at) values (\(session), \(expiry))")
    }

    @Test("loads what is revoked and can still be alive")
    func loads() async throws {
        try await withTestDatabase(migrated: true) { database, _ in
            let (alive, expired) = (UUID(), UUID())
            try await revoke(alive, on: database)
            try await revoke(expired, on: database, minutes: -10)
            let sessions = RevokedSessions()
            try await RevokedSessionsFeed(database: database, sessions: sessions, logger: .quiet).load()
            #expect(sessions.state(of: alive) == .revoked)
            #expect(sessions.state(of: expired) == .alive)
            #expect(sessions.count == 1)
        }
    }

    @Test("hears of a session that another replica ends, by notification", .timeLimit(.minutes(5)))
    func hears() async throws {
        try await withTestDatabase(migrated: true) { database, _ in
            let sessions = RevokedSessions()
            let feed = RevokedSessionsFeed(
                database: database, sessions: sessions, logger: .quiet, pollInterval: .seconds(3600)
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await feed.run() }
                while sessions.state(of: UUID()) == .unknown { await Task.yield() }
                let session = UUID()
                // The listener may connect after the first notification; the next one is heard.
                while sessions.state(of: session) != .revoked {
                    try await database.query("select pg_notify('session_revoked', \(session.uuidString))")
                }
                group.cancelAll()
            }
        }
    }

    @Test("reads what it may have missed when its listening connection was lost", .timeLimit(.minutes(5)))
    func reconnects() async throws {
        try await withTestDatabase(migrated: true) { database, _ in
            let sessions = RevokedSessions()
            let feed = RevokedSessionsFeed(
                database: database, sessions: sessions, logger: .quiet, pollInterval: .seconds(3600)
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await feed.run() }
                let heard = UUID()
                while sessions.state(of: heard) != .revoked {
                    try await database.query("select pg_notify('session_revoked', \(heard.uuidString))")
                }
                let missed = UUID()
                try await database.withTransaction { transaction in
                    // No trigger, and so no notification.
                    try await transaction.query("set local session_replication_role = replica")
                    try await transaction.query(
                        """
                        insert into auth.revoked_sessions (sid, expires_at)
                        values (\(missed), now() + interval '10 minutes')
                        """)
                }
                #expect(sessions.state(of: missed) == .alive)
                try await database.query(
                    """
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()
                    """)
                while sessions.state(of: missed) != .revoked { await Task.yield() }
                group.cancelAll()
            }
        }
    }

    @Test("polls behind the notifications", .timeLimit(.minutes(5)))
    func polls() async throws {
        try await withTestDatabase(migrated: true) { database, _ in
            let sessions = RevokedSessions()
            let feed = RevokedSessionsFeed(
                database: database, sessions: sessions, logger: .quiet, pollInterval: .milliseconds(10)
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await feed.run() }
                while sessions.state(of: UUID()) == .unknown { await Task.yield() }
                let session = UUID()
                try await revoke(session, on: database)
                while sessions.state(of: session) != .revoked { await Task.yield() }
                group.cancelAll()
            }
        }
    }
}
