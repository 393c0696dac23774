import Foundation
import Logging
import NIOCore
import ServiceLifecycle
import Shared
import Synchronization

/// The answers of `GET /api/profile`, kept for a moment: clients ask for it more often than for anything else here.
///
/// A change on this replica drops an answer at once, one on another as soon as its notification arrives. Beside that
/// an answer is read again in the background once it is `freshness` old and asked for, and is given for `lifetime` at
/// most: a database that is slow for a moment, as while many sign in, holds up nobody who asks. Two generations as in
/// the cache of verified tokens: bounded, and every operation is O(1).
final class ProfileAnswers: Service {
    /// What a change is told on, by the statement that makes it; the payload is the user's id.
    static let channel = "profile_changed"
    private static let freshness = Duration.seconds(1)
    private static let lifetime = Duration.seconds(2)
    /// Answers that may wait to be read again; more are read by whoever asks when they are too old.
    private static let waitingMax = 256

    private struct Entry {
        let answer: ByteBuffer
        let readAt: ContinuousClock.Instant
        /// It waits to be read again.
        var isQueued = false
    }

    private struct State {
        var young: [Int: Entry] = [:]
        var old: [Int: Entry] = [:]
        /// Counts what was dropped: what was read before that must not be kept after it.
        var changes = 0
    }

    private let state = Mutex(State())
    private let generationMax: Int
    private let database: PostgresDatabase
    private let now: @Sendable () -> ContinuousClock.Instant
    private let (renewals, renewal) = AsyncStream.makeStream(
        of: Int.self, bufferingPolicy: .bufferingOldest(waitingMax))

    /// - Parameters:
    ///   - answersMax: how many are kept.
    ///   - now: the time, for tests.
    init(
        database: PostgresDatabase, answersMax: Int = 10_000,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        (self.database, generationMax, self.now) = (database, max(1, answersMax / 2), now)
    }

    /// - Returns: the document; nil when there is no such user any more.
    func answer(ofUser id: Int) async throws -> ByteBuffer? {
        if let known = known(id) { return known }
        return try await read(id)
    }

    /// The kept answer; once, when it is no longer fresh, it is put up for being read again.
    private func known(_ id: Int) -> ByteBuffer? {
        let now = now()
        let (answer, isStale): (ByteBuffer?, Bool) = state.withLock { state in
            guard let entry = state.young[id] ?? state.old[id], now < entry.readAt + Self.lifetime else {
                return (nil, false)
            }
            guard !entry.isQueued, now >= entry.readAt + Self.freshness else { return (entry.answer, false) }
            state.young[id]?.isQueued = true
            state.old[id]?.isQueued = true
            return (entry.answer, true)
        }
        if isStale, case .dropped = renewal.yield(id) { leaveQueue(id) }
        return answer
    }

    private func read(_ id: Int) async throws -> ByteBuffer? {
        let (readAt, changes) = (now(), state.withLock(\.changes))
        guard let profile = try await database.profile(ofUser: id) else {
            drop(id)
            return nil
        }
        let entry = Entry(answer: profile.json, readAt: readAt)
        state.withLock { state in
            guard state.changes == changes else { return }
            // Of two reads at once the later one knows more.
            if let known = state.young[id], known.readAt > readAt { return }
            if state.young[id] == nil, state.young.count >= generationMax {
                (state.old, state.young) = (state.young, [:])
            }
            state.young[id] = entry
        }
        return entry.answer
    }

    /// The user's profile has changed.
    func forget(_ id: Int) {
        state.withLock { $0.changes += 1 }
        drop(id)
    }

    private func drop(_ id: Int) {
        state.withLock { state in
            state.young[id] = nil
            state.old[id] = nil
        }
    }

    private func leaveQueue(_ id: Int) {
        state.withLock { state in
            state.young[id]?.isQueued = false
            state.old[id]?.isQueued = false
        }
    }

    private func forgetAll() {
        state.withLock { state in
            state.changes += 1
            (state.young, state.old) = ([:], [:])
        }
    }

    /// Hears of changes on other replicas, and reads again what is asked for, until the service stops.
    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withTaskGroup { group in
                group.addTask { await self.hearOfChanges() }
                group.addTask { await self.renew() }
            }
        }
    }

    private func hearOfChanges() async {
        for await event in database.listen(to: [Self.channel]) {
            switch event {
            case .notification(_, let payload): if let id = Int(payload) { forget(id) }
            case .listening: forgetAll()
            }
        }
    }

    /// Reads what was put up for it, until the task is cancelled. One after the other: a storm of users costs one
    /// statement at a time, and who is not reached reads for himself. After a read that failed the next one who asks
    /// puts the answer up again.
    func renew() async {
        for await id in renewals {
            _ = try? await read(id)
            leaveQueue(id)
        }
    }
}

extension Profile {
    /// The document of the contract, written by hand because it is hot.
    var json: ByteBuffer {
        var writer = JSONWriter(capacity: 160)
        writer.object { json in
            json.member("user_id", userID)
            json.member("email", email)
            json.member("name", name)
            json.key("created_at")
            json.time(createdAt)
        }
        return writer.buffer
    }
}
