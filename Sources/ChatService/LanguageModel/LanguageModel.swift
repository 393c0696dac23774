/// Answers a prompt: either a model behind an OpenAI-compatible HTTP API or the built-in offline one.
package protocol LanguageModel: Sendable {
    /// What the model is called where its server does not say.
    var name: String { get }

    /// Asks the model once and returns when the answer is complete.
    ///
    /// - Parameters:
    ///   - prompt: what is asked; the last message is the user's.
    ///   - onDelta: receives each non-empty piece of the answer in order; the pieces joined are `Completion.text`.
    ///     The stream is not read on before it returns, so a slow receiver slows the model down.
    /// - Throws: `LanguageModelFailure`; `kind` is `.cancelled` when the calling task was cancelled.
    func answer(
        _ prompt: Prompt, onDelta: @escaping @Sendable (String) async -> Void
    ) async throws(LanguageModelFailure) -> Completion
}

/// A chat in the form that language models are asked in: system text first, then turns, then the question.
package struct Prompt: Sendable, Equatable {
    package var messages: [PromptMessage]

    package init(messages: [PromptMessage]) {
        self.messages = messages
    }
}

/// One message of a `Prompt`.
package struct PromptMessage: Sendable, Equatable {
    /// Who speaks; the raw value is the word of the OpenAI chat format.
    package enum Role: String, Sendable {
        case system, user, assistant
    }

    package var role: Role
    package var content: String

    package init(role: Role, content: String) {
        self.role = role
        self.content = content
    }
}

/// A complete answer of a model.
package struct Completion: Sendable, Equatable {
    /// The answer; never empty, at most `CompletionAssembler.textBytesMax` bytes, without NUL.
    package var text: String
    /// What the server counted; nil when it did not say.
    package var usage: TokenUsage?
    /// The model that answered, as the server names it.
    package var model: String

    package init(text: String, usage: TokenUsage?, model: String) {
        self.text = text
        self.usage = usage
        self.model = model
    }
}

/// How many tokens a call took, as counted by the server, or estimated where it does not say.
package struct TokenUsage: Sendable, Equatable {
    package var promptTokens: Int
    package var completionTokens: Int
    package var totalTokens: Int
    /// Whether nobody counted.
    package var isEstimated = false

    package init(promptTokens: Int, completionTokens: Int, totalTokens: Int) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.totalTokens = totalTokens
    }

    /// The estimate for a call that nobody counted.
    package init(estimatedFor prompt: Prompt, answer: String) {
        let asked = prompt.messages.reduce(0) {
            $0 + TokenEstimate.tokens(in: $1.content) + TokenEstimate.perMessage
        }
        let answered = TokenEstimate.tokens(in: answer)
        self.init(promptTokens: asked, completionTokens: answered, totalTokens: asked + answered)
        isEstimated = true
    }
}
