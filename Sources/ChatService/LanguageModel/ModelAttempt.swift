import CurlHTTP
import FoundationEssentials

/// One HTTP exchange with the model: the thin shell around `CompletionAssembler` that sets the deadlines.
struct ModelAttempt: Sendable {
    let client: HTTPClient
    let settings: OpenAIModelSettings
    let asksForUsage: Bool
    /// Called once, when the model begins to speak or to think.
    let onFirstToken: @Sendable () -> Void

    /// How long usage and `[DONE]` are waited for after a `finish_reason`.
    private static let usageTime = Duration.seconds(2)
    /// How long the end of the body is waited for after `[DONE]`; a body read to its end keeps the connection usable.
    private static let endTime = Duration.milliseconds(250)
    /// How long the body of an error is waited for, and how much of it is read.
    private static let errorBodyTime = Duration.seconds(5)
    private static let errorBodyBytesMax = 64 * 1024
    private static let causeCharactersMax = 300

    /// Sends the prompt and reads the answer. Cancelling the task ends the HTTP request.
    func run(
        _ prompt: Prompt, firstTokenTime: Duration, onDelta: @Sendable (String) async -> Void
    ) async -> Result<Completion, AttemptFailure> {
        var assembler = CompletionAssembler()
        var hasResponse = false
        var fault: AttemptFailure?
        do throws(HTTPClientError) {
            let response = client.send(try request(for: prompt))
            response.allow(max(firstTokenTime, .zero))
            guard case .head(let head)? = try await response.next() else { throw .cancelled }
            hasResponse = true
            guard (200..<300).contains(head.status) else { return .failure(await refusal(head, response)) }
            try await assemble(response, into: &assembler, onDelta: onDelta)
        } catch {
            fault = failure(for: error, assembler, hasResponse: hasResponse)
        }
        return finish(assembler, fault: fault)
    }

    private func assemble(
        _ response: borrowing HTTPClientResponse, into assembler: inout CompletionAssembler,
        onDelta: @Sendable (String) async -> Void
    ) async throws(HTTPClientError) {
        while case .body(let bytes)? = try await response.next() {
            let (events, hadBegun) = (assembler.events, assembler.hasBegun)
            let text = assembler.receive(bytes)
            if assembler.hasBegun, !hadBegun { onFirstToken() }
            if !text.isEmpty {
                response.pauseDeadline()
                await onDelta(text)
            }
            switch assembler.phase {
            // Comments do not count: a proxy can go on sending them for a model that has died.
            case .open where assembler.hasBegun && assembler.events > events: response.allow(settings.idleTime)
            case .open: break
            case .finished where assembler.events > events: response.allow(min(Self.usageTime, settings.idleTime))
            case .finished: break
            case .done: response.allow(Self.endTime)
            case .broken: return
            }
        }
        let hadBegun = assembler.hasBegun
        let text = assembler.end()
        if assembler.hasBegun, !hadBegun { onFirstToken() }
        if !text.isEmpty { await onDelta(text) }
    }

    /// The result of what was read: a complete answer counts even if the connection broke after it.
    private func finish(
        _ assembler: CompletionAssembler, fault: AttemptFailure?
    ) -> Result<Completion, AttemptFailure> {
        var attempt: AttemptFailure
        switch assembler.phase {
        case .finished, .done:
            if assembler.text.contains(where: { !$0.isWhitespace }) {
                let model = assembler.model ?? settings.model
                return .success(Completion(text: assembler.text, usage: assembler.usage, model: model))
            }
            attempt = .silent
        case .broken(let broken): attempt = fault ?? .faulty(broken)
        case .open: attempt = fault ?? .faulty(.cutOff)
        }
        attempt.failure.partialText = assembler.text
        attempt.failure.cause = loggable(attempt.failure.cause)
        return .failure(attempt)
    }

    private func failure(
        for error: HTTPClientError, _ assembler: CompletionAssembler, hasResponse: Bool
    ) -> AttemptFailure {
        switch error {
        case .cancelled: .cancelled
        case .timedOut: .timedOut(assembler.hasBegun ? "silent between two pieces of the answer" : "no first token")
        default: .disconnected(error, hasResponse: hasResponse)
        }
    }

    private func request(for prompt: Prompt) throws(HTTPClientError) -> HTTPClientRequest {
        var fields = [
            HTTPField("Content-Type", "application/json"), HTTPField("Accept", "text/event-stream"),
            HTTPField("User-Agent", "Parley"),
        ]
        if let key = settings.apiKey { fields.append(HTTPField("Authorization", "Bearer \(key.value)")) }
        let body = ModelRequest(prompt: prompt, model: settings.model, includeUsage: asksForUsage)
        guard let bytes = try? body.encoded() else { throw .invalidRequest }
        return HTTPClientRequest("POST", url: settings.baseURL + "/chat/completions", fields: fields, body: bytes)
    }

    /// Reads why the server refuses. Its status says enough to go on if the body does not come.
    private func refusal(
        _ head: HTTPResponseHead, _ response: borrowing HTTPClientResponse
    ) async -> AttemptFailure {
        response.allow(Self.errorBodyTime)
        var bytes: [UInt8] = []
        do {
            while case .body(let buffer)? = try await response.next() {
                bytes.append(contentsOf: buffer.prefix(Self.errorBodyBytesMax - bytes.count))
                if bytes.count == Self.errorBodyBytesMax { break }
            }
        } catch {
            // Cut off: what has come is looked at.
        }
        // A date means a time by the server's own clock; ours may be wrong.
        let sent = head.first("Date").flatMap { RetryAfter.secondsSince1970(ofDate: $0[...]) }
        let now = sent ?? Int(Date().timeIntervalSince1970)
        let retryAfter = head.first("Retry-After").flatMap { RetryAfter.duration(from: $0, now: now) }
        let chunk = try? JSONDecoder().decode(ChatChunk.self, from: Data(bytes))
        var attempt = AttemptFailure.refused(
            status: head.status, error: chunk?.error, body: String(decoding: bytes, as: UTF8.self),
            retryAfter: retryAfter)
        attempt.failure.cause = loggable(attempt.failure.cause)
        return attempt
    }

    /// A cause fit for the log: some servers quote the key that they do not know, and some the whole request.
    private func loggable(_ cause: String) -> String {
        // The key goes first: a cut through it would leave its beginning.
        let withoutKey = settings.apiKey.map { cause.replacing($0.value, with: "[key]") } ?? cause
        return String(withoutKey.prefix(Self.causeCharactersMax))
    }
}
