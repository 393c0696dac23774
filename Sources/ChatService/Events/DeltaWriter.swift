import Logging
import Shared
import Synchronization

/// Writes the answers that this replica receives from the model into `chat.deltas`, for readers of events everywhere.
///
/// All answers together, at most every `interval`, with one statement that does not wait for the disk; an answer that
/// is whole before its first turn comes is never written here. Every row is fenced by its job.
final class DeltaWriter: Sendable {
    private struct Draft {
        let conversationID: Int
        var position = 0
        var waiting = ""
        /// Being written, or of unknown outcome: then it is written again as it was, which changes nothing.
        var sent: String?
        var isLost = false
    }

    private struct State {
        var drafts: [JobFence: Draft] = [:]
        var isScheduled = false
        var isWriting = false
        var idle: [CheckedContinuation<Void, Never>] = []
    }

    /// One row holds at most about this much text, in UTF-8.
    static let pieceBytesMax = 64 * 1024

    private let database: PostgresDatabase
    private let events: EventHub
    private let logger: Logger
    private let interval: Duration
    private let state = Mutex(State())
    private let bell = Doorbell()

    init(
        database: PostgresDatabase, events: EventHub, logger: Logger, interval: Duration = .milliseconds(75)
    ) {
        self.database = database
        self.events = events
        self.logger = logger
        self.interval = interval
    }

    // MARK: The model's side

    /// Takes a piece of the job's answer; never waits.
    func add(_ text: String, to job: ClaimedJob) {
        let text = text.replacing("\0", with: "\u{FFFD}")
        let mustRing = state.withLock { state in
            state.drafts[job.fence, default: Draft(conversationID: job.conversationID)].waiting += text
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustRing { bell.ring() }
    }

    /// Forgets the job's answer, which ends now. Returns, after a write that is under way, whether rows of this or an
    /// earlier attempt may be there.
    func close(_ fence: JobFence) async -> Bool {
        let draft = state.withLock { $0.drafts.removeValue(forKey: fence) }
        let isWritten = draft.map { $0.position > 0 || $0.sent != nil } ?? false
        if draft?.sent != nil { await writeUnderWay() }
        return isWritten || fence.attempt > 1
    }

    private func writeUnderWay() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.isWriting { state.idle.append(continuation) }
                return !state.isWriting
            }
            if isIdle { continuation.resume() }
        }
    }

    // MARK: The database's side

    /// Writes until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            await bell.wait()
            try? await Task.sleep(for: interval)
            await flush()
        }
    }

    /// Writes what waits now. One write at a time: of two that took the same piece each would count it.
    func flush() async {
        var begun = begin()
        while begun == nil {
            await writeUnderWay()
            begun = begin()
        }
        let pieces = begun ?? []
        var held: Set<Int>?
        if !pieces.isEmpty {
            do {
                held = try await database.insertDeltas(pieces)
            } catch {
                logger.debug("pieces of answers not written", metadata: ["error": "\(error)"])
            }
        }
        let (isMore, idle) = end(pieces, held: held)
        for continuation in idle { continuation.resume() }
        for id in Set(pieces.map(\.conversationID)) { events.announce(id, .deltas) }
        if isMore { bell.ring() }
    }

    /// Nil while another write is under way.
    private func begin() -> [DeltaPiece]? {
        state.withLock { state in
            guard !state.isWriting else { return nil }
            state.isWriting = true
            state.isScheduled = false
            var pieces: [DeltaPiece] = []
            for (fence, var draft) in state.drafts where !draft.isLost {
                guard let text = draft.sent ?? draft.waiting.takePrefix(bytesMax: Self.pieceBytesMax) else { continue }
                draft.sent = text
                state.drafts[fence] = draft
                pieces.append(
                    DeltaPiece(
                        fence: fence, conversationID: draft.conversationID, position: draft.position, text: text))
            }
            return pieces
        }
    }

    /// - Parameter held: the jobs that were still this holder's; nil when the outcome is unknown.
    private func end(_ pieces: [DeltaPiece], held: Set<Int>?) -> (isMore: Bool, [CheckedContinuation<Void, Never>]) {
        state.withLock { state in
            state.isWriting = false
            for piece in pieces {
                guard let held, var draft = state.drafts[piece.fence] else { continue }
                draft.sent = nil
                draft.position += piece.text.utf16.count
                draft.isLost = !held.contains(piece.fence.jobID)
                if draft.isLost { draft.waiting = "" }
                state.drafts[piece.fence] = draft
            }
            let isMore = state.drafts.values.contains { $0.sent != nil || !$0.waiting.isEmpty && !$0.isLost }
            if isMore { state.isScheduled = true }
            defer { state.idle = [] }
            return (isMore, state.idle)
        }
    }
}

extension String {
    /// Takes off up to about that many bytes of UTF-8, whole characters; nil when there is nothing.
    fileprivate mutating func takePrefix(bytesMax: Int) -> String? {
        guard !isEmpty else { return nil }
        guard utf8.count > bytesMax else {
            defer { self = "" }
            return self
        }
        var end = utf8.index(utf8.startIndex, offsetBy: bytesMax)
        while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        defer { self = String(self[end...]) }
        return String(self[..<end])
    }
}
