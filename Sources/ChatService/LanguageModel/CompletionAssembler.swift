import FoundationEssentials

/// Puts an answer together from the body of a chat response: a pure state machine fed with pieces of bytes.
///
/// It accepts a stream of server-sent events and, from servers that do not stream although asked to, one JSON document;
/// the first byte that is not white space tells them apart, whatever the content type says. An answer is complete at a
/// `finish_reason` or at `[DONE]`; what the connection does after that no longer matters.
package struct CompletionAssembler {
    /// The longest answer in bytes of UTF-8; a model that runs away is stopped there.
    package static let textBytesMax = 1 << 20
    /// The longest body in bytes, thoughts and JSON around the answer included.
    package static let bodyBytesMax = 32 << 20
    /// The longest event or JSON document: an answer of the greatest length, every character escaped, does not count
    /// as sensible.
    package static let documentBytesMax = 2 << 20

    /// How far an answer has come.
    package enum Phase: Sendable, Equatable {
        /// More is expected.
        case open
        /// A `finish_reason` was seen; usage and `[DONE]` may follow.
        case finished
        /// Nothing more follows.
        case done
        case broken(AnswerFault)
    }

    /// The answer so far.
    package private(set) var text = ""
    package private(set) var usage: TokenUsage?
    package private(set) var model: String?
    package private(set) var phase = Phase.open
    /// Whether the model has begun to speak or to think.
    package private(set) var hasBegun = false
    /// How many events with data were seen; comments are not among them.
    package private(set) var events = 0

    private enum Form {
        case undecided
        case events(ServerSentEventParser)
        case document([UInt8])
    }

    private var form = Form.undecided
    private var bodyBytes = 0

    package init() {}

    /// Whether the answer counts as given, whatever happens to the connection now.
    package var isComplete: Bool { phase == .finished || phase == .done }

    /// Takes the next piece of the body and returns the text it adds to the answer, often none.
    package mutating func receive(_ bytes: some Collection<UInt8>) -> String {
        bodyBytes += bytes.count
        guard bodyBytes <= Self.bodyBytesMax else { return stop(.tooLong) }
        if case .undecided = form { decideForm(by: bytes) }
        switch form {
        case .undecided:
            return ""
        case .events(var parser):
            form = .undecided  // leaves the parser's buffers with one owner, else each piece would copy them
            let parsed = Result { () throws(ServerSentEventParser.EventTooLong) in try parser.parse(bytes) }
            form = .events(parser)
            guard case .success(let events) = parsed else { return stop(.tooLong) }
            return events.reduce(into: "") { $0 += take($1) }
        case .document(var document):
            form = .undecided
            document.append(contentsOf: bytes)
            form = .document(document)
            return document.count <= Self.documentBytesMax ? "" : stop(.tooLong)
        }
    }

    /// The body has ended in good order: returns the last text, and leaves `phase` other than open.
    package mutating func end() -> String {
        var added = ""
        switch form {
        case .undecided:
            break
        case .events(var parser):
            if let event = try? parser.finish() { added = take(event) }
        case .document(let document):
            added = takeDocument(document)
        }
        if phase == .open { phase = .broken(.cutOff) }
        return added
    }

    private mutating func decideForm(by bytes: some Collection<UInt8>) {
        guard let first = bytes.first(where: { !" \t\r\n".utf8.contains($0) }) else { return }
        let isJSON = first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
        form = isJSON ? .document([]) : .events(ServerSentEventParser(eventBytesMax: Self.documentBytesMax))
    }

    private mutating func take(_ event: ServerSentEventParser.Event) -> String {
        let data = String(decoding: event.data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !data.isEmpty, phase == .open || phase == .finished else { return "" }
        events += 1
        if data == "[DONE]" {
            phase = .done
            return ""
        }
        let chunk = try? JSONDecoder().decode(ChatChunk.self, from: Data(data.utf8))
        if event.name == "error" {
            return stop(.server(chunk?.error ?? ModelServerError(message: data)))
        }
        guard let chunk else { return stop(.malformed) }
        return take(chunk)
    }

    /// A whole completion, or an error, sent as one JSON document; some servers put an error into a list.
    private mutating func takeDocument(_ document: [UInt8]) -> String {
        let data = Data(document)
        let chunk =
            (try? JSONDecoder().decode(ChatChunk.self, from: data))
            ?? (try? JSONDecoder().decode([ChatChunk].self, from: data))?.first
        guard let chunk else { return stop(.malformed) }
        events += 1
        let added = take(chunk)
        if phase == .open, chunk.hasChoice { phase = .done }
        return added
    }

    private mutating func take(_ chunk: ChatChunk) -> String {
        if let error = chunk.error { return stop(.server(error)) }
        model = model ?? chunk.model
        usage = chunk.usage ?? usage
        guard phase == .open else { return "" }
        if chunk.hasReasoning { hasBegun = true }
        let added = append(chunk.text ?? "")
        if phase == .open, let reason = chunk.finishReason, !reason.isEmpty {
            guard reason != "error" else { return stop(.server(ModelServerError(type: "finish_reason error"))) + added }
            phase = .finished
        }
        return added
    }

    /// NUL is taken out: PostgreSQL has no place for it in text, and no answer needs it.
    private mutating func append(_ piece: String) -> String {
        let piece = piece.utf8.contains(0) ? piece.replacing("\0", with: "") : piece
        guard !piece.isEmpty else { return "" }
        guard text.utf8.count + piece.utf8.count <= Self.textBytesMax else { return stop(.tooLong) }
        hasBegun = true
        text += piece
        return piece
    }

    /// Ends the answer with a fault; an answer that was complete before stays complete.
    private mutating func stop(_ fault: AnswerFault) -> String {
        if !isComplete { phase = .broken(fault) }
        return ""
    }
}

/// Why the body of a response with status 200 is not an answer.
package enum AnswerFault: Error, Sendable, Equatable {
    /// The body ended with neither a `finish_reason` nor `[DONE]`.
    case cutOff
    /// An event that is not JSON.
    case malformed
    /// The answer, an event or the whole body is over its bound.
    case tooLong
    /// The server put an error into the body.
    case server(ModelServerError)
}
