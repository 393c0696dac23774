import Shared

/// What happens to a job after the model failed. Pure: the same inputs, the same decision.
struct JobRetrySchedule: Sendable {
    /// How long a question with files waits for a model that is away, from its upload.
    static let patience: Duration = .seconds(24 * 60 * 60)
    /// The longest pause between two tries while the model is away.
    static let pauseMax: Duration = .seconds(60)
    /// Tries that end in a failure of the model before the message fails.
    static let triesMax = 3

    /// What to do with the job.
    enum Decision: Equatable, Sendable {
        /// Give the job back for `after`; a spared one does not count as a try.
        case again(after: Duration, isSpared: Bool)
        case fail
    }

    /// - Parameters:
    ///   - kind: how the model failed.
    ///   - tries: claims that count, this one included.
    ///   - claims: all claims, this one included; the pause grows with them.
    ///   - age: since the upload.
    ///   - retryAfter: what the model's server asked for.
    ///   - jitter: 0 to 1, spreads the jobs that failed together.
    static func decide(
        kind: LanguageModelFailure.Kind, tries: Int, claims: Int, age: Duration, retryAfter: Duration?, jitter: Double
    ) -> Decision {
        let grown = min(pauseMax, .milliseconds(500) * (1 << min(claims, 10)))
        let pause = max(grown * (0.5 + jitter / 2), min(retryAfter ?? .zero, .seconds(600)))
        switch kind {
        case .unavailable:
            return age + pause < patience ? .again(after: pause, isSpared: true) : .fail
        case .cancelled:
            return .again(after: .zero, isSpared: true)
        case .failed, .timedOut:
            return tries < triesMax ? .again(after: pause, isSpared: false) : .fail
        }
    }
}

extension JobFailure {
    /// The terminal error of a message whose model failed.
    init(_ failure: LanguageModelFailure) {
        let code =
            switch failure.kind {
            case .failed: "llm_failed"
            case .unavailable: "llm_unavailable"
            case .timedOut: "llm_timeout"
            case .cancelled: "cancelled"
            }
        self.init(code: code, detail: failure.detail, isRetryable: true, retryAfter: failure.retryAfter)
    }

    /// Of a message whose patience with an absent model has ended.
    static let modelAway = JobFailure(
        code: "llm_unavailable", detail: "The language model was not available for a day.", isRetryable: true)
}
