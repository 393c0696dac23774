import Shared

/// Plain questions on their way to the pool of this replica, bounded.
final class QuestionQueue: Sendable {
    /// A question and what to call with its end.
    struct Entry: Sendable {
        let question: AcceptedQuestion
        /// Hears the answer's text as the model writes it.
        let onDelta: @Sendable (String) async -> Void
        let finish: @Sendable (AnswerOutcome) -> Void
    }

    /// To be read by one task.
    let entries: AsyncStream<Entry>
    private let continuation: AsyncStream<Entry>.Continuation

    init(capacity: Int) {
        (entries, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(capacity))
    }

    /// Hands a question to the pool; when the queue is closed or full it ends at once as handed over, and the lease
    /// brings it to another holder.
    func submit(
        _ question: AcceptedQuestion, onDelta: @escaping @Sendable (String) async -> Void,
        finish: @escaping @Sendable (AnswerOutcome) -> Void
    ) {
        switch continuation.yield(Entry(question: question, onDelta: onDelta, finish: finish)) {
        case .enqueued: break
        case .dropped, .terminated: finish(.handedOver)
        @unknown default: finish(.handedOver)
        }
    }

    /// Takes no more questions; those inside are still worked on.
    func close() {
        continuation.finish()
    }
}
