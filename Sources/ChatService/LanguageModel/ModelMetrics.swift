import Metrics
import Synchronization

/// What operators see of the calls of the model.
final class ModelMetrics: Sendable {
    private let duration = Timer(label: "llm_call_seconds")
    private let firstToken = Timer(label: "llm_first_token_seconds")
    private let retries = Counter(label: "llm_retries_total")
    private let callsInFlight = Gauge(label: "llm_calls_in_flight")
    private let inFlight = Atomic(0)

    func begin() {
        callsInFlight.record(inFlight.add(1, ordering: .relaxed).newValue)
    }

    /// - Parameter outcome: `completed`, or the kind of failure.
    func end(outcome: String, after time: Duration) {
        callsInFlight.record(inFlight.subtract(1, ordering: .relaxed).newValue)
        Counter(label: "llm_calls_total", dimensions: [("outcome", outcome)]).increment()
        duration.record(duration: time)
    }

    func firstToken(after time: Duration) { firstToken.record(duration: time) }

    func retry() { retries.increment() }
}

extension LanguageModelFailure.Kind {
    /// The kind as a label of metrics and in logs.
    var label: String {
        switch self {
        case .failed: "failed"
        case .unavailable: "unavailable"
        case .timedOut: "timed_out"
        case .cancelled: "cancelled"
        }
    }
}
