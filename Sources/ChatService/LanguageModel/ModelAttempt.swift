import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// One HTTP exchange with the model: the thin shell around `CompletionAssembler`, with its timer.
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

    private enum Event {
        case result(Result<Completion, AttemptFailure>)
        case stallWatchEnded
    }

    /// Sends the prompt and reads the answer.
    ///
    /// Two child tasks: one reads, one waits for the timer; the first to end cancels the other, and cancellation ends
    /// the HTTP request.
    func run(
        _ prompt: Prompt, firstTokenTime: Duration, onDelta: @escaping @Sendable (String) async -> Void
    ) async -> Result<Completion, AttemptFailure> {
        let timer = StallTimer(eventLoop: client.eventLoopGroup.any())
        timer.allow(max(firstTokenTime, .zero))
        defer { timer.stop() }
        return await withTaskGroup(of: Event.self) { group in
            group.addTask { .result(await read(prompt, timer: timer, onDelta: onDelta)) }
            group.addTask {
                await timer.stalled()
                return .stallWatchEnded
            }
            var result = Result<Completion, AttemptFailure>.failure(.cancelled)
            for await event in group {
                group.cancelAll()
                if case .result(let read) = event { result = read }
            }
            return result
        }
    }

    private func read(
        _ prompt: Prompt, timer: StallTimer, onDelta: @escaping @Sendable (String) async -> Void
    ) async -> Result<Completion, AttemptFailure> {
        var assembler = CompletionAssembler()
        var hasResponse = false
        var fault: AttemptFailure?
        do {
            var response = ModelResponse.reader(of: try request(for: prompt), by: client)
            guard case .head(let head)? = try await response.next() else { throw CancellationError() }
            hasResponse = true
            guard (200..<300).contains(head.status.code) else {
                return .failure(await refusal(head, &response, timer: timer))
            }
            try await assemble(&response, into: &assembler, timer: timer, onDelta: onDelta)
            if Task.isCancelled, !assembler.isComplete { fault = interrupted(timer, assembler) }
        } catch {
            fault = Task.isCancelled ? interrupted(timer, assembler) : .disconnected(error, hasResponse: hasResponse)
        }
        return finish(assembler, fault: fault)
    }

    private func assemble(
        _ response: inout ModelResponse.Reader, into assembler: inout CompletionAssembler, timer: StallTimer,
        onDelta: @Sendable (String) async -> Void
    ) async throws {
        while case .body(let bytes)? = try await response.next() {
            let (events, hadBegun) = (assembler.events, assembler.hasBegun)
            let text = assembler.receive(bytes.readableBytesView)
            if assembler.hasBegun, !hadBegun { onFirstToken() }
            if !text.isEmpty {
                timer.pause()
                await onDelta(text)
            }
            switch assembler.phase {
            // Comments do not count: a proxy can go on sending them for a model that has died.
            case .open where assembler.hasBegun && assembler.events > events: timer.allow(settings.idleTime)
            case .open: break
            case .finished where assembler.events > events: timer.allow(min(Self.usageTime, settings.idleTime))
            case .finished: break
            case .done: timer.allow(Self.endTime)
            case .broken: return
            }
        }
        guard !Task.isCancelled else { return }
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

    private func interrupted(_ timer: StallTimer, _ assembler: CompletionAssembler) -> AttemptFailure {
        guard timer.hasStalled else { return .cancelled }
        return .timedOut(assembler.hasBegun ? "silent between two pieces of the answer" : "no first token")
    }

    private func request(for prompt: Prompt) throws -> HTTPClient.Request {
        var headers = HTTPHeaders()
        headers.add(name: "Content-Type", value: "application/json")
        headers.add(name: "Accept", value: "text/event-stream")
        headers.add(name: "User-Agent", value: "Parley")
        if let key = settings.apiKey { headers.add(name: "Authorization", value: "Bearer \(key.value)") }
        let body = ModelRequest(prompt: prompt, model: settings.model, includeUsage: asksForUsage)
        return try HTTPClient.Request(
            url: settings.baseURL + "/chat/completions", method: .POST, headers: headers,
            body: .byteBuffer(try body.encoded()))
    }

    /// Reads why the server refuses. Its status says enough to go on if the body does not come.
    private func refusal(
        _ head: HTTPResponseHead, _ response: inout ModelResponse.Reader, timer: StallTimer
    ) async -> AttemptFailure {
        timer.allow(Self.errorBodyTime)
        var bytes: [UInt8] = []
        do {
            while case .body(let buffer)? = try await response.next() {
                bytes.append(contentsOf: buffer.readableBytesView.prefix(Self.errorBodyBytesMax - bytes.count))
                if bytes.count == Self.errorBodyBytesMax { break }
            }
        } catch {
            // Cut off: what has come is looked at.
        }
        // A date means a time by the server's own clock; ours may be wrong.
        let sent = head.headers.first(name: "Date").flatMap { RetryAfter.secondsSince1970(ofDate: $0[...]) }
        let now = sent ?? Int(Date().timeIntervalSince1970)
        let retryAfter = head.headers.first(name: "Retry-After").flatMap { RetryAfter.duration(from: $0, now: now) }
        let chunk = try? JSONDecoder().decode(ChatChunk.self, from: Data(bytes))
        var attempt = AttemptFailure.refused(
            status: Int(head.status.code), error: chunk?.error, body: String(decoding: bytes, as: UTF8.self),
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
