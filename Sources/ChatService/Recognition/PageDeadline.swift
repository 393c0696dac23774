/// When a recognizing child has had enough time for one answer.
///
/// What counts is time in which the child could run: on a busy machine it stands back behind everything that serves
/// people (nice 10), and a page must not fail for that. A child that sleeps, hangs or computes for too long is late all
/// the same, and nothing prolongs the time to more than `patience` times the allowance.
struct PageDeadline {
    /// How much longer a child may take on a machine that has no time for it.
    static let patience = 4

    private let allowance: Duration
    private let began: ContinuousClock.Instant
    private let starvation: () -> Duration
    private let starvedBefore: Duration
    private let now: () -> ContinuousClock.Instant

    /// Starts now.
    /// - Parameters:
    ///   - seconds: the allowance, `OCR_PAGE_SECONDS`.
    ///   - starvation: how long the child has waited for a processor since it was started.
    ///   - now: the monotonic clock.
    init(
        seconds: Int, now: @escaping () -> ContinuousClock.Instant = { .now },
        starvation: @escaping () -> Duration
    ) {
        allowance = .seconds(seconds)
        self.now = now
        self.starvation = starvation
        began = now()
        starvedBefore = starvation()
    }

    /// How long to wait before looking again; zero or less: the child is late.
    var remaining: Duration {
        let passed = began.duration(to: now())
        let starved = max(.zero, starvation() - starvedBefore)
        return min(allowance + starved, allowance * Self.patience) - passed
    }
}
