import NIOCore

/// What one HTTP/1.1 connection may do and when it must stop: a state machine without a clock and without a channel.
///
/// Three clocks run against a client: from the first byte of a request to the end of its header; while we wait for a
/// body (time in which we do not ask for more does not count, and every byte received earns some more); and while an
/// answer lies unread. Closing lingers: we stop writing, let the client read the answer, and drop what it still sends.
/// When the server stops, an idle connection stays open for a moment, as a proxy's next request may be on its way; that
/// one is answered, and is the last.
struct ConnectionRules {
    /// What a timer that went off means.
    enum Expiry: Equatable {
        /// Nobody has been answered: say 408 and close.
        case refuse
        /// A route waits for the body: let its read fail.
        case failBody
        case close
    }

    private enum Reading {
        case idle
        case header(since: NIODeadline)
        case body(Body)
        /// Whatever still comes is dropped.
        case nothing
    }

    private struct Body {
        /// By Content-Length; nil when chunked.
        var remaining: Int?
        var received = 0
        var waited = TimeAmount.zero
        var waitingSince: NIODeadline?
        var awaitsContinue: Bool
    }

    private let limits: HTTPLimits
    private var reading = Reading.idle
    private var stalledSince: NIODeadline?
    private var lingerUntil: NIODeadline?
    /// The server stops, and no request has come since.
    private var quiescesAt: NIODeadline?
    private(set) var answersDue = 0
    private(set) var closesAfterAnswer = false
    /// More of an unread body than this is not waited for: the connection ends with the answer.
    private static let remainderMax = 64 * 1024
    private static let linger = TimeAmount.seconds(2)

    init(limits: HTTPLimits) {
        self.limits = limits
    }

    var isReading: Bool {
        if case .nothing = reading { return false }
        return true
    }

    // MARK: Inbound

    mutating func bytesArrived(_ now: NIODeadline) {
        if case .idle = reading { reading = .header(since: now) }
    }

    mutating func headArrived(contentLength: Int?, awaitsContinue: Bool, isKeepAlive: Bool) {
        reading = .body(Body(remaining: contentLength, awaitsContinue: awaitsContinue))
        answersDue += 1
        if !isKeepAlive || quiescesAt != nil { closesAfterAnswer = true }
        quiescesAt = nil
    }

    mutating func bodyArrived(bytes: Int, _ now: NIODeadline) {
        guard case .body(var body) = reading else { return }
        if let since = body.waitingSince { body.waited = body.waited + (now - since) }
        body.waitingSince = nil
        body.received += bytes
        body.awaitsContinue = false
        body.remaining = body.remaining.map { $0 - bytes }
        reading = .body(body)
    }

    mutating func endArrived() {
        if case .body = reading { reading = closesAfterAnswer ? .nothing : .idle }
    }

    /// We ask for more bytes.
    mutating func readRequested(_ now: NIODeadline) {
        guard case .body(var body) = reading, body.waitingSince == nil else { return }
        body.waitingSince = now
        reading = .body(body)
    }

    /// The bytes were no HTTP. Says whether a route waits for them, which must then hear of it.
    mutating func parsingFailed() -> Bool {
        closesAfterAnswer = true
        defer { reading = .nothing }
        if case .body = reading { return true }
        return false
    }

    // MARK: Outbound

    /// Whether the client is to be told to send the body; at most once, and only before an answer.
    mutating func continues() -> Bool {
        guard case .body(var body) = reading, body.awaitsContinue else { return false }
        body.awaitsContinue = false
        reading = .body(body)
        return true
    }

    /// Whether the answer that begins now must say that it is the last one.
    mutating func answerBegins(saysClose: Bool) -> Bool {
        if saysClose { closesAfterAnswer = true }
        if case .body(let body) = reading, answersDue == 1 {
            if body.awaitsContinue || body.remaining ?? .max > Self.remainderMax { closesAfterAnswer = true }
        }
        return closesAfterAnswer && answersDue <= 1
    }

    /// Whether the connection is to be closed after what was written.
    mutating func answerEnded() -> Bool {
        answersDue -= 1
        return closesAfterAnswer && answersDue <= 0
    }

    mutating func lingers(_ now: NIODeadline) {
        reading = .nothing
        lingerUntil = now + Self.linger
    }

    /// The server stops: the answer that is due is the last one; with none due, that of a request within a moment.
    mutating func quiesce(_ now: NIODeadline) {
        guard isReading || answersDue > 0 else { return }
        if answersDue > 0 {
            closesAfterAnswer = true
        } else {
            quiescesAt = now + .milliseconds(Int64(limits.quiescenceMilliseconds))
        }
    }

    mutating func writability(_ isWritable: Bool, _ now: NIODeadline) {
        stalledSince = isWritable ? nil : stalledSince ?? now
    }

    // MARK: Time

    /// When to look again; nil while nothing is waited for.
    var deadline: NIODeadline? {
        let stalled = stalledSince.map { $0 + .seconds(Int64(limits.writeStallSeconds)) }
        return [readingDeadline, stalled, lingerUntil, quiescenceEnd].compactMap { $0 }.min()
    }

    /// A header that has begun to arrive is waited for.
    private var quiescenceEnd: NIODeadline? {
        if case .idle = reading { return quiescesAt }
        return nil
    }

    private var readingDeadline: NIODeadline? {
        switch reading {
        case .idle, .nothing: return nil
        case .header(let since): return since + .seconds(Int64(limits.headerSeconds))
        case .body(let body):
            guard let since = body.waitingSince else { return nil }
            let earned = TimeAmount.milliseconds(Int64(body.received * 1000 / limits.bodyBytesPerSecondMin))
            return since + .seconds(Int64(limits.bodySeconds)) + earned - body.waited
        }
    }

    /// What to do now, if a deadline has passed.
    mutating func expiry(_ now: NIODeadline) -> Expiry? {
        guard let deadline, deadline <= now else { return nil }
        guard let readingDeadline, readingDeadline <= now, lingerUntil == nil else { return .close }
        let failsBody = parsingFailed() && answersDue > 0
        return failsBody ? .failBody : answersDue == 0 ? .refuse : .close
    }
}
