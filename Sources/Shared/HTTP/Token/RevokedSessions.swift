package import Foundation
import Synchronization

/// The sessions that were ended while their access tokens still live, in memory. Pure bookkeeping: a feed (see
/// `RevokedSessionsFeed`) keeps it current, and says so each time it has; without that for longer than a token lives,
/// nobody knows which tokens are still good; nor before the feed has spoken for the first time.
package final class RevokedSessions: Sendable {
    /// What is known about a session.
    package enum State: Sendable, Equatable {
        case alive, revoked
        /// The feed has been silent for too long, or has not spoken yet.
        case unknown
    }

    private struct Book {
        var expiries: [UUID: Int] = [:]
        /// When the feed last spoke; nil: not yet.
        var currentAt: Int?
        var nextSweep = 0
    }

    private let book: Mutex<Book>
    private let silenceSecondsMax: Int
    private let clock: @Sendable () -> Int

    /// - Parameters:
    ///   - silenceSecondsMax: how long the feed may be silent before tokens are refused, however long they live.
    ///   - clock: seconds since 1970.
    package init(
        silenceSecondsMax: Int = 900, clock: @escaping @Sendable () -> Int = { Int(Date().timeIntervalSince1970) }
    ) {
        self.silenceSecondsMax = silenceSecondsMax
        self.clock = clock
        book = Mutex(Book())
    }

    /// What is known about a session now.
    /// - Parameter lifetimeSeconds: of the token that is looked at. AuthService alone is told how long tokens live; one
    ///   that lives for a shorter time than the feed may be silent is not trusted for longer than it lives.
    package func state(of session: UUID, lifetimeSeconds: Int = .max) -> State {
        let now = clock()
        return book.withLock { book in
            if book.expiries[session] != nil { return .revoked }
            guard let currentAt = book.currentAt else { return .unknown }
            return now - currentAt < min(silenceSecondsMax, lifetimeSeconds) ? .alive : .unknown
        }
    }

    /// Notes a session that ended. Called at once by the replica that ends it, and by the feed for all others.
    /// - Parameter expiresAt: seconds since 1970 after which none of its tokens can be valid.
    package func revoke(_ session: UUID, expiresAt: Int) {
        book.withLock { $0.expiries[session] = max(expiresAt, $0.expiries[session] ?? 0) }
    }

    /// Notes that everything known to the database at this time is in here; forgets what has expired.
    package func isCurrent() {
        let now = clock()
        book.withLock { book in
            book.currentAt = now
            guard now >= book.nextSweep else { return }
            book.nextSweep = now + 60
            book.expiries = book.expiries.filter { $0.value > now }
        }
    }

    /// How many sessions are noted.
    package var count: Int { book.withLock { $0.expiries.count } }
}
