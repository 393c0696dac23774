/// Why one try of a call failed, and whether another may help.
struct AttemptFailure: Error {
    var failure: LanguageModelFailure
    /// Whether the same request may be sent again, if no text has been handed on.
    var isRetryable = false
    /// The server names `stream_options` as the reason of its refusal.
    var refusesStreamOptions = false
    /// The model is left alone at the moment.
    var wasNotSent = false
}

extension AttemptFailure {
    /// A response whose status is not a success.
    ///
    /// - Parameter error: what its body says, if it could be read.
    static func refused(
        status: Int, error: ModelServerError?, body: String = "", retryAfter: Duration? = nil
    ) -> AttemptFailure {
        var attempt = AttemptFailure(
            failure: LanguageModelFailure(
                kind: .failed, detail: "The language model refused the request.",
                cause: cause("HTTP \(status)", error), retryAfter: retryAfter))
        attempt.classify(status: status, error: error)
        attempt.refusesStreamOptions = (status == 400 || status == 422) && body.contains("stream_options")
        return attempt
    }

    /// A response with status 200 that is no answer.
    static func faulty(_ fault: AnswerFault) -> AttemptFailure {
        switch fault {
        case .cutOff:
            broken("The language model broke off its answer.", "the stream ended without finish_reason or [DONE]")
        case .malformed:
            broken("The language model sent an unreadable answer.", "an event is not the JSON of a chat chunk")
        case .tooLong: broken("The language model's answer was too long.", "an answer or event over its bound")
        case .server(let error): .reported(error)
        }
    }

    /// A complete answer in which nothing was said.
    static var silent: AttemptFailure {
        broken("The language model gave an empty answer.", "finished without text")
    }

    /// The connection failed.
    ///
    /// - Parameter hasResponse: whether the head of a response had arrived.
    static func disconnected(_ error: any Error, hasResponse: Bool) -> AttemptFailure {
        let kind = hasResponse ? LanguageModelFailure.Kind.failed : .unavailable
        let detail =
            hasResponse ? "The language model broke off its answer." : "The language model could not be reached."
        let failure = LanguageModelFailure(kind: kind, detail: detail, cause: "\(error)")
        return AttemptFailure(failure: failure, isRetryable: true)
    }

    /// The model is left alone for this long.
    static func notAsked(for time: Duration) -> AttemptFailure {
        let failure = LanguageModelFailure(
            kind: .unavailable, detail: "The language model is not available at the moment.",
            cause: "the model is left alone", retryAfter: time)
        return AttemptFailure(failure: failure, isRetryable: true, wasNotSent: true)
    }

    static func timedOut(_ what: String) -> AttemptFailure {
        AttemptFailure(
            failure: LanguageModelFailure(
                kind: .timedOut, detail: "The language model did not answer in time.", cause: what))
    }

    /// The task was cancelled while or after a try failed; what had come of the answer is kept.
    static func cancelled(after attempt: AttemptFailure) -> LanguageModelFailure {
        var failure = cancelled.failure
        failure.partialText = attempt.failure.partialText
        return failure
    }

    static var cancelled: AttemptFailure {
        AttemptFailure(
            failure: LanguageModelFailure(
                kind: .cancelled, detail: "The answer was cancelled.", cause: "task cancelled"))
    }

    /// An error inside a stream; a code in digits is the HTTP status that the server would have liked to send.
    private static func reported(_ error: ModelServerError) -> AttemptFailure {
        var attempt = broken("The language model reported an error.", cause("error in the stream", error))
        attempt.classify(status: error.code.flatMap { Int($0) } ?? status(of: error), error: error)
        return attempt
    }

    /// The status that belongs to the words servers use for passing faults; 0 where nothing is known.
    private static func status(of error: ModelServerError) -> Int {
        switch (error.code, error.type) {
        case ("rate_limit_exceeded", _), (_, "rate_limit_error"), (_, "rate_limit_exceeded"): 429
        case ("server_error", _), (_, "server_error"), (_, "internal_server_error"), (_, "api_error"): 500
        case (_, "overloaded_error"), (_, "unavailable_error"), (_, "service_unavailable"): 503
        default: 0
        }
    }

    /// What is tried again, and which problem it is in the end. A refusal with any other 3xx or 4xx is final: the same
    /// request would be refused again.
    private mutating func classify(status: Int, error: ModelServerError?) {
        let words = [error?.code, error?.type].compactMap { $0 }
        let message = error?.message?.lowercased() ?? ""
        switch status {
        case _ where words.contains("insufficient_quota"), 402:
            say(.unavailable, "The language model's quota is used up.", isRetryable: false)
        case 300..<500 where ![408, 409, 429].contains(status):
            break
        case 429:
            say(.unavailable, "The language model is overloaded.", isRetryable: true)
        case _ where message.contains("loading model"), 502, 503, 529:
            say(.unavailable, "The language model is not available at the moment.", isRetryable: true)
        case 408, 504:
            say(.timedOut, "The language model did not answer in time.", isRetryable: true)
        case 409, 500..<600:
            say(.failed, "The language model failed.", isRetryable: true)
        default:
            break
        }
        if words.contains("context_length_exceeded") || message.contains("context length") {
            failure.detail = "The conversation is too long for the language model."
        }
    }

    private mutating func say(_ kind: LanguageModelFailure.Kind, _ detail: String, isRetryable: Bool) {
        failure.kind = kind
        failure.detail = detail
        self.isRetryable = isRetryable
    }

    private static func broken(_ detail: String, _ cause: String) -> AttemptFailure {
        AttemptFailure(failure: LanguageModelFailure(kind: .failed, detail: detail, cause: cause))
    }

    private static func cause(_ what: String, _ error: ModelServerError?) -> String {
        let words = [error?.type, error?.code, error?.message].compactMap { $0 }.joined(separator: ", ")
        return words.isEmpty ? what : "\(what): \(words)"
    }
}
