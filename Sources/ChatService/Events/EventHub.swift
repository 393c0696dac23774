import Foundation
import Logging
import ServiceLifecycle
import Shared
import Synchronization

/// The doorbell of this replica's readers of events: wakes them for what happens here and on other replicas.
///
/// Rows are the truth: a ring carries nothing but the id of a conversation, and may be lost. Behind it a poll compares
/// where the readers are with the rows. One connection listens for all readers.
final class EventHub: Service {
    private struct State {
        var readers: [Int: [EventReader]] = [:]
        var count = 0
        var ofUser: [Int: Int] = [:]
        var isClosed = false
        /// What the other replicas are still to be told of.
        var unannounced: [Int: EventSignals] = [:]
    }

    /// Streams that this replica holds at once, below the connections that its server takes.
    static let readersMax = 3000
    /// Streams of one user at once, over all of this replica.
    static let readersOfUserMax = 50
    private static let channel = "chat_events"
    /// PostgreSQL takes payloads of less than 8000 bytes.
    private static let payloadBytesMax = 7900

    private let database: PostgresDatabase
    private let revoked: RevokedSessions
    private let logger: Logger
    private let state = Mutex(State())
    private let announcements = Doorbell()
    /// Names this replica in its notifications, which it has heard before they are sent.
    private let name = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    /// How long announcements gather before they are sent as one.
    private let gathering: Duration
    private let pollInterval: Duration

    init(
        database: PostgresDatabase, revoked: RevokedSessions, drain: Drain, logger: Logger,
        gathering: Duration = .milliseconds(20), pollInterval: Duration = .seconds(2)
    ) {
        self.database = database
        self.revoked = revoked
        self.logger = logger
        self.gathering = gathering
        self.pollInterval = pollInterval
        drain.whenBegun { [weak self] in self?.close() }
    }

    // MARK: Readers

    /// How many streams have a place.
    var readerCount: Int { state.withLock(\.count) }

    /// Refuses a stream that would be one too many: 429 for the user, 503 for this replica, or 503 while it stops.
    func takePlace(forUser userID: Int) throws(Problem) -> EventPlace {
        let refusal: ProblemCode? = state.withLock { state in
            if state.isClosed { return .draining }
            if state.ofUser[userID, default: 0] >= Self.readersOfUserMax { return .tooManyStreams }
            if state.count >= Self.readersMax { return .overloaded }
            state.count += 1
            state.ofUser[userID, default: 0] += 1
            return nil
        }
        if let refusal { throw Problem(refusal) }
        return EventPlace { [self] in leave(userID) }
    }

    private func leave(_ userID: Int) {
        state.withLock { state in
            state.count -= 1
            let ofUser = state.ofUser[userID, default: 1] - 1
            state.ofUser[userID] = ofUser > 0 ? ofUser : nil
        }
    }

    /// Runs `body` with a reader that is woken for what happens from now on.
    func withReader(
        ofConversation id: Int, _ identity: AccessIdentity, in place: EventPlace,
        _ body: (EventReader) async throws -> Void
    ) async rethrows {
        let reader = EventReader(conversationID: id, identity: identity, place: place)
        add(reader)
        defer { remove(reader) }
        try await body(reader)
    }

    private func add(_ reader: EventReader) {
        let isClosed = state.withLock { state in
            state.readers[reader.conversationID, default: []].append(reader)
            return state.isClosed
        }
        if isClosed { reader.signal(.end) }
    }

    private func remove(_ reader: EventReader) {
        state.withLock { state in
            let left = state.readers[reader.conversationID]?.filter { $0 !== reader } ?? []
            state.readers[reader.conversationID] = left.isEmpty ? nil : left
        }
    }

    /// Ends every stream, so that the clients go to a replica that stays.
    func close() {
        let readers = state.withLock { state in
            state.isClosed = true
            return state.readers.values.flatMap { $0 }
        }
        for reader in readers { reader.signal(.end) }
    }

    // MARK: Rings

    /// Says that something was committed about a conversation: at once to the readers here, a little later, together
    /// with what else happens, to the other replicas.
    func announce(_ conversationID: Int, _ signals: EventSignals = .changes) {
        wake(conversationID, signals)
        let isFirst = state.withLock { state in
            state.unannounced[conversationID, default: []].formUnion(signals)
            return state.unannounced.count == 1
        }
        if isFirst { announcements.ring() }
    }

    private func wake(_ conversationID: Int, _ signals: EventSignals) {
        for reader in state.withLock({ $0.readers[conversationID] }) ?? [] { reader.signal(signals) }
    }

    /// Listens, announces and polls until the service stops.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.listen() }
                group.addTask { await self.sendAnnouncements() }
                group.addTask { await self.tick() }
                group.addTask { await self.poll() }
            }
        }
        close()
    }

    private func sendAnnouncements() async {
        while !Task.isCancelled {
            await announcements.wait()
            try? await Task.sleep(for: gathering)
            let unannounced = state.withLock { state in
                defer { state.unannounced = [:] }
                return state.unannounced
            }
            for payload in EventAnnouncement.payloads(of: unannounced, by: name, bytesMax: Self.payloadBytesMax) {
                do {
                    try await database.query("select pg_notify(\(Self.channel), \(payload))", durability: .relaxed)
                } catch {
                    logger.debug("events not announced", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    private func listen() async {
        for await event in database.listen(to: [Self.channel]) {
            // `.listening`: something may have been missed. The poll finds out what.
            guard case .notification(_, let payload) = event else { continue }
            for (conversationID, signals) in EventAnnouncement.read(payload, except: name) {
                wake(conversationID, signals)
            }
        }
    }

    private func tick() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            let now = Int(Date().timeIntervalSince1970)
            for reader in state.withLock({ state in state.readers.values.flatMap { $0 } }) {
                reader.tick(now: now, revoked: revoked)
            }
        }
    }

    /// What rang no bell that was heard here: compares the rows with where the readers are.
    private func poll() async {
        while (try? await Task.sleep(for: pollInterval)) != nil {
            let ids = state.withLock { Array($0.readers.keys) }
            guard !ids.isEmpty else { continue }
            do {
                let found = try await database.eventStandings(ofConversations: ids)
                for id in ids {
                    guard let standing = found[id] else {
                        wake(id, .changes)
                        continue
                    }
                    for reader in state.withLock({ $0.readers[id] }) ?? [] { reader.compare(with: standing) }
                }
            } catch {
                logger.debug("events not polled", metadata: ["error": "\(error)"])
            }
        }
    }
}
