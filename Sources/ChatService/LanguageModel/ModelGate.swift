package import Logging
import Metrics
import Synchronization

/// The one door of a replica to the model: a `ModelBreaker` under a lock, with its clock, its log and its metrics.
package final class ModelGate: Sendable {
    private let breaker = Mutex(ModelBreaker())
    private let now: @Sendable () -> ContinuousClock.Instant
    private let logger: Logger

    /// - Parameter now: tests bring a clock of their own.
    package init(logger: Logger, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.logger = logger
        self.now = now
        tell(.closed)
    }

    /// A call that was let through; it has to say how it ended, once.
    struct Permit: Sendable {
        fileprivate let isProbe: Bool
    }

    /// Lets a call through, or says how long calls are refused.
    func enter() throws(Refusal) -> Permit {
        let admission = change { $0.admit(now: now()) }
        switch admission {
        case .granted(let isProbe): return Permit(isProbe: isProbe)
        case .refused(let time):
            Counter(label: "llm_refused_calls_total").increment()
            throw Refusal(time: time)
        }
    }

    /// Calls are refused for this long.
    struct Refusal: Error {
        let time: Duration
    }

    /// The model has begun to answer.
    func reached(_ permit: Permit) { change { $0.reached(isProbe: permit.isProbe) } }

    /// The model has answered in full.
    func answered(_ permit: Permit) {
        change { breaker in
            breaker.reached(isProbe: permit.isProbe)
            breaker.answered()
        }
    }

    /// The call failed; what that says of the model decides what becomes of the next ones.
    func failed(_ permit: Permit, _ failure: LanguageModelFailure) {
        let (now, jitter) = (now(), Double.random(in: 0...1))
        change { breaker in
            switch failure.kind {
            case .unavailable:
                breaker.failed(isProbe: permit.isProbe, retryAfter: failure.retryAfter, now: now, jitter: jitter)
            case .timedOut where failure.partialText.isEmpty:
                breaker.failed(isProbe: permit.isProbe, retryAfter: failure.retryAfter, now: now, jitter: jitter)
            case .failed, .timedOut:
                breaker.reached(isProbe: permit.isProbe)
            case .cancelled:
                breaker.abandoned(isProbe: permit.isProbe)
            }
        }
    }

    /// How long calls are refused; zero when one may pass.
    var pauseLeft: Duration { breaker.withLock { $0.pauseLeft(now: now()) } }

    /// How many calls for queued work may be under way at once.
    var queuedCallsMax: Int { breaker.withLock { $0.queuedCallsMax(now: now()) } }

    /// Whether the model is known to be away.
    var isShut: Bool { breaker.withLock { $0.state != .closed } }

    @discardableResult
    private func change<R: Sendable>(_ body: (inout ModelBreaker) -> R) -> R {
        let (before, after, result) = breaker.withLock { breaker in
            let before = breaker.state
            let result = body(&breaker)
            return (before, breaker.state, result)
        }
        if before != after { tell(after) }
        return result
    }

    private func tell(_ state: ModelBreaker.State) {
        switch state {
        case .closed: logger.debug("the model is asked")
        case .halfOpen(let isProbing): logger.info("the model is tried again", metadata: ["probe": "\(isProbing)"])
        case .open(let until):
            Counter(label: "llm_breaker_opened_total").increment()
            let pause = now().duration(to: until) / .seconds(1)
            logger.warning("the model is left alone", metadata: ["seconds": "\(pause)"])
        }
        for name in ["closed", "half_open", "open"] {
            Gauge(label: "llm_breaker", dimensions: [("state", name)]).record(name == state.label ? 1 : 0)
        }
    }
}

extension ModelBreaker.State {
    /// The state as a label of metrics.
    fileprivate var label: String {
        switch self {
        case .closed: "closed"
        case .halfOpen: "half_open"
        case .open: "open"
        }
    }
}
