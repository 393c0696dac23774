/// Why a model gave no complete answer.
package struct LanguageModelFailure: Error, Sendable, Equatable {
    /// What a caller does about it; the first three are the problems `llm_failed`, `llm_unavailable`, `llm_timeout`.
    package enum Kind: Sendable, Equatable {
        /// The model refused or broke: asking the same again at once would hardly help.
        case failed
        /// The model cannot be reached, is overloaded or has no quota left: later may help.
        case unavailable
        /// The model did not begin, or did not go on, in time.
        case timedOut
        /// The calling task was cancelled; the HTTP request was ended.
        case cancelled
    }

    package var kind: Kind
    /// A sentence for the user: names neither address, key nor prompt.
    package var detail: String
    /// What happened, for the log only; bounded, with the API key taken out.
    package var cause: String
    /// How long the server asked to be left alone, when it did.
    package var retryAfter: Duration?
    /// The answer as far as it had come; already given to `onDelta`.
    package var partialText: String

    package init(
        kind: Kind, detail: String, cause: String, retryAfter: Duration? = nil, partialText: String = ""
    ) {
        self.kind = kind
        self.detail = detail
        self.cause = cause
        self.retryAfter = retryAfter
        self.partialText = partialText
    }
}
