import Foundation
package import Logging
import ServiceLifecycle

/// Keeps `RevokedSessions` current with `auth.revoked_sessions`: at the start and after every reconnection everything,
/// then each end of a session as it is notified, and behind that a poll, for what a notification may miss. Both
/// services run one.
package struct RevokedSessionsFeed: Service {
    /// Where the trigger of the table tells about a session that ended; the payload is its id.
    private static let channel = "session_revoked"
    /// A notification does not say when the session's tokens expire; the next poll does.
    private static let notifiedSeconds = 3600
    /// The poll takes a second more for each of these rows, so that it never becomes the load.
    private static let rowsPerSecond = 2000

    private let database: PostgresDatabase
    private let sessions: RevokedSessions
    private let logger: Logger
    private let pollInterval: Duration
    private let bell = Doorbell()

    package init(
        database: PostgresDatabase, sessions: RevokedSessions, logger: Logger,
        pollInterval: Duration = .milliseconds(500)
    ) {
        self.database = database
        self.sessions = sessions
        self.logger = logger
        self.pollInterval = pollInterval
    }

    /// Reads every session that ended and whose tokens may still live. Call it once before the socket opens; `run`
    /// goes on from there.
    package func load() async throws {
        for (session, expiresAt) in try await database.revokedSessions() {
            sessions.revoke(session, expiresAt: expiresAt)
        }
        sessions.isCurrent()
    }

    /// Listens and polls until the service stops.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await listen() }
                group.addTask { await ringNowAndThen() }
                group.addTask { await loadWhenRung() }
            }
        }
    }

    private func listen() async {
        for await event in database.listen(to: [Self.channel]) {
            switch event {
            case .listening:
                // What ended while nobody listened was notified to nobody.
                bell.ring()
            case .notification(_, let payload):
                guard let session = UUID(uuidString: payload) else { continue }
                sessions.revoke(session, expiresAt: Int(Date().timeIntervalSince1970) + Self.notifiedSeconds)
            }
        }
    }

    private func ringNowAndThen() async {
        repeat { bell.ring() } while (try? await Task.sleep(for: pollInterval + pause)) != nil
    }

    private var pause: Duration { .seconds(sessions.count / Self.rowsPerSecond) }

    private func loadWhenRung() async {
        var failures = 0
        while !Task.isCancelled {
            await bell.wait()
            do {
                try await load()
                failures = 0
            } catch {
                guard !Task.isCancelled else { return }
                failures += 1
                // The first one, and then about one a minute.
                if failures % 120 == 1 { logger.warning("revoked sessions not read", metadata: ["error": "\(error)"]) }
            }
        }
    }
}

extension PostgresQuerying {
    /// The sessions that ended although tokens of theirs may still live, and when (seconds since 1970) none can.
    fileprivate func revokedSessions() async throws -> [(session: UUID, expiresAt: Int)] {
        let rows = try await read(
            """
            select sid, ceil(extract(epoch from expires_at))::bigint from auth.revoked_sessions
            where expires_at > clock_timestamp() - interval '1 minute'
            """
        )
        return try rows.map { row in
            let (session, expiresAt) = try row.decode(UUID.self, Int.self)
            return (session, expiresAt)
        }
    }
}
