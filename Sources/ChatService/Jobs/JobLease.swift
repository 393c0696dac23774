import Synchronization

/// How long a claim holds, seen from its holder: on the clock that goes on while the machine or the process sleeps
/// (`CLOCK_BOOTTIME`, clock_gettime(2)) and that nobody sets.
///
/// The lease itself is `jobs.lease_until` on the database's clock, set when the statement ran. The holder counts from
/// the moment before it sent that statement, so its own end always comes first.
final class JobLease: Sendable {
    /// When the holder has to have stopped: a sixth of the lease before others may start. A hung child or call is
    /// ended within milliseconds; the rest is for a machine that is busy.
    private let end: Mutex<ContinuousClock.Instant>
    private let claimed: ContinuousClock.Instant
    private let length: Duration

    /// - Parameter asked: before the claim was sent.
    init(asked: ContinuousClock.Instant, seconds: Int) {
        claimed = asked
        length = .seconds(seconds) * 5 / 6
        end = Mutex(asked + length)
    }

    /// The heartbeat was heard; `asked` is before it was sent.
    func renew(asked: ContinuousClock.Instant) {
        end.withLock { $0 = max($0, asked + length) }
    }

    /// Whether the work has to have stopped. To be asked before each step that would take the work up again: whoever
    /// was asleep learns of it here first.
    func isOver(at now: ContinuousClock.Instant = .now) -> Bool { now >= deadline }

    var deadline: ContinuousClock.Instant { end.withLock { $0 } }
    var timeSinceClaim: Duration { claimed.duration(to: .now) }
}
