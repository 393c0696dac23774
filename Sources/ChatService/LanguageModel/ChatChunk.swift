import FoundationEssentials

/// What one JSON document of a chat answer says, read tolerantly: a chunk of a stream, a whole completion or an error.
///
/// Servers differ: `choices` may be missing, null or empty; `content` may be null or a list of parts; `usage` stands in
/// any chunk; an error may be an object, a string, or lie flat at the top. Members of unexpected types count as absent.
struct ChatChunk: Decodable {
    var model: String?
    /// Text for the user in the first choice; nil when the chunk has none.
    var text: String?
    /// Thoughts of a reasoning model: a sign of life, but no part of the answer.
    var hasReasoning = false
    var finishReason: String?
    var usage: TokenUsage?
    var error: ModelServerError?
    /// Whether there was a choice at all.
    var hasChoice = false

    private enum Key: String, CodingKey {
        case model, choices, usage, error, object, message, detail, code, type
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        model = fields.lenient(String.self, .model)
        usage = fields.lenient(Usage.self, .usage)?.tokens
        // Only the first choice was asked for; the others, if a server sends some, are other answers.
        if let choice = fields.lenient([Choice].self, .choices)?.first(where: { ($0.index ?? 0) == 0 }) {
            hasChoice = true
            finishReason = choice.finishReason
            let said = choice.delta ?? choice.message
            text = said?.text
            hasReasoning = said?.hasReasoning ?? false
        }
        error = Self.error(in: fields, hasChoice: hasChoice)
    }

    private static func error(
        in fields: KeyedDecodingContainer<Key>, hasChoice: Bool
    ) -> ModelServerError? {
        if let error = fields.lenient(ModelServerError.self, .error) { return error }
        if let message = fields.lenient(String.self, .error), !message.isEmpty {
            return ModelServerError(message: message)
        }
        let isMarked = fields.lenient(String.self, .object) == "error" || fields.lenient(Bool.self, .error) == true
        let message = fields.lenient(String.self, .message) ?? fields.lenient(String.self, .detail)
        guard isMarked || (!hasChoice && message != nil) else { return nil }
        return ModelServerError(
            message: message, code: fields.lenient(TextOrNumber.self, .code)?.text,
            type: fields.lenient(String.self, .type))
    }
}

/// An error as a model server describes it.
package struct ModelServerError: Decodable, Equatable, Sendable {
    package var message: String?
    /// A word such as `insufficient_quota`, or an HTTP status in digits.
    package var code: String?
    package var type: String?

    package init(message: String? = nil, code: String? = nil, type: String? = nil) {
        self.message = message
        self.code = code
        self.type = type
    }

    private enum Key: String, CodingKey {
        case message, code, type
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        message = fields.lenient(String.self, .message)
        code = fields.lenient(TextOrNumber.self, .code)?.text
        type = fields.lenient(String.self, .type)
    }
}

/// One of `choices`.
private struct Choice: Decodable {
    var index: Int?
    var delta: Said?
    var message: Said?
    var finishReason: String?

    private enum Key: String, CodingKey {
        case index, delta, message
        case finishReason = "finish_reason"
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        index = fields.lenient(Int.self, .index)
        delta = fields.lenient(Said.self, .delta)
        message = fields.lenient(Said.self, .message)
        finishReason = fields.lenient(String.self, .finishReason)
    }
}

/// What a `delta` or a `message` carries.
private struct Said: Decodable {
    var text: String?
    var hasReasoning: Bool

    private enum Key: String, CodingKey {
        case content, refusal, reasoning
        case reasoningContent = "reasoning_content"
    }

    /// A part of `content` where that is a list; parts of other types (thoughts, references) are not the answer.
    private struct Part: Decodable {
        var type: String?
        var text: String?
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        let parts = fields.lenient([Part].self, .content)
        // A refusal is what the model says to the user in place of an answer.
        text =
            fields.lenient(String.self, .content)
            ?? parts?.filter { $0.type == "text" }.compactMap(\.text).joined()
            ?? fields.lenient(String.self, .refusal)
        let thoughts = fields.lenient(String.self, .reasoningContent) ?? fields.lenient(String.self, .reasoning) ?? ""
        hasReasoning = !thoughts.isEmpty || parts?.contains { $0.type != "text" } == true
    }
}

/// `usage`; the total is computed where the server leaves it out.
private struct Usage: Decodable {
    var prompt_tokens: Int
    var completion_tokens: Int?
    var total_tokens: Int?

    var tokens: TokenUsage {
        let completion = completion_tokens ?? 0
        let (sum, overflow) = prompt_tokens.addingReportingOverflow(completion)
        return TokenUsage(
            promptTokens: prompt_tokens, completionTokens: completion, totalTokens: total_tokens ?? (overflow ? 0 : sum)
        )
    }
}

/// Error codes are words with some servers and HTTP status numbers with others.
private struct TextOrNumber: Decodable {
    var text: String

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let number = try? value.decode(Int.self) {
            text = String(number)
        } else {
            text = try value.decode(String.self)
        }
    }
}

extension KeyedDecodingContainer {
    /// The value of a member; nil if it is missing, null or of another type.
    fileprivate func lenient<Value: Decodable>(_ type: Value.Type, _ key: Key) -> Value? {
        guard contains(key), (try? decodeNil(forKey: key)) == false else { return nil }
        return try? decode(type, forKey: key)
    }
}
