import FoundationEssentials

/// The body of `POST /chat/completions`.
struct ModelRequest: Encodable {
    var model: String
    var messages: [Message]
    var stream = true
    var stream_options: StreamOptions?

    /// One message, as the API spells it.
    struct Message: Encodable {
        var role: String
        var content: String
    }

    /// Asks for token counts at the end of the stream.
    struct StreamOptions: Encodable {
        var include_usage = true
    }

    init(prompt: Prompt, model: String, includeUsage: Bool) {
        self.model = model
        messages = prompt.messages.map { Message(role: $0.role.rawValue, content: $0.content) }
        stream_options = includeUsage ? StreamOptions() : nil
    }

    func encoded() throws -> [UInt8] {
        Array(try JSONEncoder().encode(self))
    }
}
