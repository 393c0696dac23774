/// How long a client may take to send a body, as arithmetic without a clock.
///
/// Counts only the time in which we waited for the client, not the time in which it waited for our disk. Two bounds: no
/// single wait may be longer than `Limits.longestWait`, and all waits together no longer than `Limits.grace` plus what the
/// bytes received would take at `Limits.bytesPerSecond`. The second one ends a body that drips in byte by byte.
struct UploadPace: Sendable {
    struct Limits: Sendable {
        var longestWait: Duration = .seconds(30)
        var grace: Duration = .seconds(60)
        var bytesPerSecond = 4 * 1024
    }

    private let limits: Limits
    private var bytes = 0
    private var waited: Duration = .zero
    private var waitingSince: ContinuousClock.Instant?

    init(limits: Limits) {
        self.limits = limits
    }

    /// We have asked for bytes and have none.
    mutating func beginWaiting(at now: ContinuousClock.Instant) {
        waitingSince = now
    }

    mutating func received(_ count: Int, at now: ContinuousClock.Instant) {
        if let waitingSince { waited += now - waitingSince }
        waitingSince = nil
        bytes += count
    }

    /// When the wait that is going on becomes too long; nil while nobody waits for the client.
    var deadline: ContinuousClock.Instant? {
        guard let waitingSince else { return nil }
        let allowed = limits.grace + .seconds(Double(bytes) / Double(limits.bytesPerSecond)) - waited
        return waitingSince + min(limits.longestWait, allowed)
    }
}
