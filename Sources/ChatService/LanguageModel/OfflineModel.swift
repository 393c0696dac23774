/// The model that is used while `LLM_BASE_URL` is unset: it understands nothing, says so, and answers at once.
///
/// The same prompt always gets the same answer, so that a fresh installation can be tried and tests can compare.
package struct OfflineModel: LanguageModel {
    /// What `Completion.model` says.
    package static let modelName = "offline"

    package init() {}

    package var name: String { Self.modelName }

    /// Counts and quotes; suspends only for `onDelta`.
    package func answer(
        _ prompt: Prompt, onDelta: @escaping @Sendable (String) async -> Void
    ) async throws(LanguageModelFailure) -> Completion {
        let question = prompt.messages.last { $0.role == .user }?.content ?? ""
        let earlier = prompt.messages.count { $0.role == .assistant }
        let paragraphs = OfflineAnswer(question: question, earlierTurns: earlier).paragraphs
        for (index, paragraph) in paragraphs.enumerated() {
            if Task.isCancelled { throw cancelled(after: paragraphs.prefix(index)) }
            await onDelta(index == 0 ? paragraph : "\n\n" + paragraph)
        }
        let text = paragraphs.joined(separator: "\n\n")
        // Estimates, as nothing else can count here; they let a front end show what it will show with a real model.
        let usage = TokenUsage(estimatedFor: prompt, answer: text)
        return Completion(text: text, usage: usage, model: Self.modelName)
    }

    private func cancelled(after paragraphs: ArraySlice<String>) -> LanguageModelFailure {
        LanguageModelFailure(
            kind: .cancelled, detail: "The answer was cancelled.", cause: "task cancelled",
            partialText: paragraphs.joined(separator: "\n\n"))
    }
}
