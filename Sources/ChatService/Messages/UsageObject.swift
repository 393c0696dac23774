import Shared

/// The contract's `usage` object of an answer.
struct UsageObject: Sendable {
    let usage: TokenUsage
    let model: String

    /// The object as it is stored and answered.
    var json: String {
        var writer = JSONWriter()
        writer.object { json in
            json.member("prompt_tokens", usage.promptTokens)
            json.member("completion_tokens", usage.completionTokens)
            json.member("total_tokens", usage.totalTokens)
            json.member("model", model)
            if usage.isEstimated { json.member("estimated", true) }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
