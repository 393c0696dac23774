/// Decides whether and when a failed call of the model is tried again: numbers in, numbers out, no clock.
///
/// The waits grow as 0.5 s × 2ⁿ up to 8 s, each shortened at random by up to a half so that replicas that failed
/// together do not return together. A server's `Retry-After` is kept to even where it is longer; if it asks for more
/// than the rest of the budget, there is no further try, as an earlier one would be refused.
package struct ModelRetrySchedule: Sendable {
    /// How often a call is tried in all.
    package static let attemptsMax = 4
    package static let firstWait = Duration.milliseconds(500)
    /// The longest wait that this schedule chooses itself.
    package static let waitMax = Duration.seconds(8)
    /// The longest that all waits of a call take together, `Retry-After` included.
    package static let totalWaitMax = Duration.seconds(30)

    private var attempts = 1
    private var waited = Duration.zero

    package init() {}

    /// The wait before the next try, or nil to give up.
    ///
    /// - Parameters:
    ///   - retryAfter: what the server asked for; nil if it did not.
    ///   - timeLeft: how much of the call's time is left; a wait that would use it up is not begun.
    ///   - jitter: from 0 (the shortest wait) to 1 (the full wait).
    package mutating func wait(retryAfter: Duration?, timeLeft: Duration, jitter: Double) -> Duration? {
        guard attempts < Self.attemptsMax else { return nil }
        let full = min(Self.firstWait * (1 << (attempts - 1)), Self.waitMax)
        let wait = max(full * (0.5 + 0.5 * jitter), retryAfter ?? .zero)
        guard waited + wait <= Self.totalWaitMax, wait < timeLeft else { return nil }
        attempts += 1
        waited += wait
        return wait
    }
}
