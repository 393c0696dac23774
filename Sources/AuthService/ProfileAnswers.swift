import Foundation
import Logging
import NIOCore
import ServiceLifecycle
import Shared
import Synchronization

/// The answers of `GET /api/profile`, kept for a moment: clients ask for it more often than for anything else here.
///
/// An answer is at most a second old. A change on this replica drops it at once, one on another as soon as its
/// notification arrives. Two generations as in the cache of verified tokens: bounded, and every operation is O(1).
final class ProfileAnswers: Service {
    /// What a change is told on, by the statement that makes it; the payload is the user's id.
    static let channel = "profile_changed"
    private static let lifetime = Duration.seconds(1)

    private struct Entry {
        let answer: ByteBuffer
        let until: ContinuousClock.Instant
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

    /// - Parameter answersMax: how many are kept.
    init(database: PostgresDatabase, answersMax: Int = 10_000) {
        (self.database, generationMax) = (database, max(1, answersMax / 2))
    }

    /// - Returns: the document; nil when there is no such user any more.
    func answer(ofUser id: Int) async throws -> ByteBuffer? {
        let now = ContinuousClock.now
        let (known, changes) = state.withLock { state in
            ((state.young[id] ?? state.old[id]).flatMap { $0.until > now ? $0.answer : nil }, state.changes)
        }
        if let known { return known }
        guard let profile = try await database.profile(ofUser: id) else { return nil }
        let entry = Entry(answer: profile.json, until: now + Self.lifetime)
        state.withLock { state in
            guard state.changes == changes else { return }
            if state.young.count >= generationMax { (state.old, state.young) = (state.young, [:]) }
            state.young[id] = entry
        }
        return entry.answer
    }

    /// The user's profile has changed.
    func forget(_ id: Int) {
        state.withLock { state in
            state.changes += 1
            state.young[id] = nil
            state.old[id] = nil
        }
    }

    private func forgetAll() {
        state.withLock { state in
            state.changes += 1
            (state.young, state.old) = ([:], [:])
        }
    }

    /// Hears of changes on other replicas until the service stops.
    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            for await event in database.listen(to: [Self.channel]) {
                switch event {
                case .notification(_, let payload): if let id = Int(payload) { forget(id) }
                case .listening: forgetAll()
                }
            }
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
