/// Decides whether the model may be asked: a circuit breaker, and the `Retry-After` of the model's server, for all
/// calls of a replica. Pure: what happened and when in, a decision out.
///
/// Closed, every call passes. After `failuresMax` failures in a row to reach the model, or as soon as its server asks
/// to be left alone, it opens: no call passes until the pause is over. Then one call passes as a probe; it closes the
/// breaker or opens it for longer. Queued work comes back step by step after that: twice as much with each answer.
struct ModelBreaker {
    typealias Instant = ContinuousClock.Instant

    /// Failures in a row to reach the model until it is left alone.
    static let failuresMax = 5
    /// The first pause, and the longest that is chosen here; each is shortened at random by up to a half.
    static let pauseMin = Duration.seconds(1)
    static let pauseMax = Duration.seconds(60)
    /// The longest `Retry-After` that is obeyed.
    static let obeyedMax = Duration.seconds(600)
    /// Queued calls at once with which the coming back is over.
    static let returnedFrom = 64

    /// Whether calls pass.
    enum State: Equatable {
        case closed
        case open(until: Instant)
        /// The pause is over. `isProbing`: the one call that passes is under way.
        case halfOpen(isProbing: Bool)
    }

    /// What a call is told.
    enum Admission: Equatable {
        case granted(isProbe: Bool)
        /// Not before this time is over.
        case refused(for: Duration)
    }

    private(set) var state = State.closed
    private var failures = 0
    /// Openings since the model was last heard.
    private var openings = 0
    /// Queued calls at once while work comes back; nil: no bound.
    private var returning: Int?

    /// A call asks whether it may begin.
    mutating func admit(now: Instant) -> Admission {
        if case .open(let until) = state, until <= now { state = .halfOpen(isProbing: false) }
        switch state {
        case .closed: return .granted(isProbe: false)
        case .open(let until): return .refused(for: now.duration(to: until))
        case .halfOpen(isProbing: true): return .refused(for: Self.pauseMin)
        case .halfOpen(isProbing: false):
            state = .halfOpen(isProbing: true)
            return .granted(isProbe: true)
        }
    }

    /// The model was heard: it has begun to answer, or has refused the request itself.
    mutating func reached(isProbe: Bool) {
        if isProbe, case .halfOpen = state {
            state = .closed
            openings = 0
            returning = 1
        }
        if state == .closed { failures = 0 }
    }

    /// The model has answered in full; to be said after `reached`.
    mutating func answered() {
        guard state == .closed else { return }
        returning = returning.flatMap { $0 * 2 < Self.returnedFrom ? $0 * 2 : nil }
    }

    /// The model could not be reached, or not in time, or had no room.
    ///
    /// - Parameters:
    ///   - retryAfter: what its server asked for.
    ///   - jitter: 0 to 1, spreads the replicas.
    mutating func failed(isProbe: Bool, retryAfter: Duration?, now: Instant, jitter: Double) {
        let asked = retryAfter.map { now + min($0, Self.obeyedMax) } ?? now
        switch state {
        case .closed:
            failures += 1
            if failures >= Self.failuresMax { open(until: max(asked, now + nextPause(jitter: jitter))) }
        case .halfOpen where isProbe:
            open(until: max(asked, now + nextPause(jitter: jitter)))
        case .halfOpen, .open:
            break
        }
        guard asked > now else { return }
        if case .open(let until) = state, until >= asked { return }
        open(until: asked)
    }

    /// A call ended without news of the model: it was cancelled.
    mutating func abandoned(isProbe: Bool) {
        if isProbe, case .halfOpen = state { state = .halfOpen(isProbing: false) }
    }

    /// How long new calls are still refused; zero when one may pass.
    func pauseLeft(now: Instant) -> Duration {
        if case .open(let until) = state, until > now { return now.duration(to: until) }
        return .zero
    }

    /// How many calls for queued work may be under way at once: what can wait does not compete for the probe.
    func queuedCallsMax(now: Instant) -> Int {
        switch state {
        case .closed: returning ?? .max
        case .open(let until): until <= now ? 1 : 0
        case .halfOpen: 1
        }
    }

    private mutating func open(until: Instant) {
        state = .open(until: until)
        failures = 0
        returning = nil
    }

    private mutating func nextPause(jitter: Double) -> Duration {
        let full = min(Self.pauseMin * (1 << min(openings, 6)), Self.pauseMax)
        openings += 1
        return full * (0.5 + jitter / 2)
    }
}
