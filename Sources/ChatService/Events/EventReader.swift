import Shared
import Synchronization

/// What a reader of events is woken for; several come as one.
struct EventSignals: OptionSet, Sendable {
    let rawValue: UInt8

    /// Messages of the conversation, or the conversation itself, have changed.
    static let changes = EventSignals(rawValue: 1)
    /// There are new pieces of answers.
    static let deltas = EventSignals(rawValue: 2)
    /// Nothing was written for a while.
    static let ping = EventSignals(rawValue: 4)
    /// The stream is over.
    static let end = EventSignals(rawValue: 8)
}

/// The place of one stream among those of its user and of this replica; free again when nobody holds it any more, also
/// if the stream never began.
final class EventPlace: Sendable {
    private let giveBack: @Sendable () -> Void

    init(giveBack: @escaping @Sendable () -> Void = {}) { self.giveBack = giveBack }

    deinit { giveBack() }
}

/// One open stream of events: a bell, and whose it is. What is told is read from the rows by the one who waits here, so
/// nothing piles up for a reader that is slow.
final class EventReader: Sendable {
    private struct State {
        var signals: EventSignals = []
        var waiting: CheckedContinuation<EventSignals, Never>?
        var silentTicks = 0
        /// The number of the last change that was told; nil until the stream has begun.
        var change: Int?

        /// The one who waits and what for, if there is both.
        mutating func takeWaiting() -> (
            continuation: CheckedContinuation<EventSignals, Never>, signals: EventSignals
        )? {
            guard !signals.isEmpty, let waiting else { return nil }
            // The end stays: whoever asks again hears of it again.
            defer { (self.waiting, signals) = (nil, signals.intersection(.end)) }
            return (waiting, signals)
        }
    }

    /// A proxy in between gives up after a minute of silence; so does a client that waits for the ping.
    static let pingTicks = 15

    let conversationID: Int
    private let identity: AccessIdentity
    /// Only held: it is given back with the reader.
    private let place: EventPlace
    private let state = Mutex(State())

    init(conversationID: Int, identity: AccessIdentity, place: EventPlace) {
        self.conversationID = conversationID
        self.identity = identity
        self.place = place
    }

    var userID: Int { identity.userID }

    /// Wakes the reader, now or when it waits next.
    func signal(_ signals: EventSignals) {
        let waiting = state.withLock { state in
            state.signals.formUnion(signals)
            return state.takeWaiting()
        }
        waiting?.continuation.resume(returning: waiting?.signals ?? [])
    }

    /// What has happened since the last call; waits if nothing has. `.end` when the task is cancelled. For one task.
    func next() async -> EventSignals {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waiting = state.withLock { state in
                    state.waiting = continuation
                    return state.takeWaiting()
                }
                waiting?.continuation.resume(returning: waiting?.signals ?? [])
            }
        } onCancel: {
            signal(.end)
        }
    }

    /// Something was written: the silence begins anew.
    func wasTold() {
        state.withLock { $0.silentTicks = 0 }
    }

    /// All up to the change of this number was told.
    func hasReached(_ change: Int) {
        state.withLock { $0.change = change }
    }

    /// Wakes the reader if the rows are not where it is: what woke it was lost.
    func compare(with standing: EventStanding) {
        guard let change = state.withLock(\.change) else { return }
        var signals: EventSignals = standing.hasDeltas ? .deltas : []
        if standing.changes != change { signals.insert(.changes) }
        if !signals.isEmpty { signal(signals) }
    }

    /// Called once a second: pings a stream that was silent, ends one whose token is over.
    ///
    /// - Parameter now: seconds since 1970.
    func tick(now: Int, revoked: RevokedSessions) {
        if identity.isExpired(now: now) || revoked.state(of: identity.sessionID) == .revoked { return signal(.end) }
        let isSilent = state.withLock { state in
            state.silentTicks += 1
            guard state.silentTicks >= Self.pingTicks else { return false }
            state.silentTicks = 0
            return true
        }
        if isSilent { signal(.ping) }
    }
}
