import CurlHTTP
package import Logging
import ServiceLifecycle
package import Shared
import Synchronization

/// How to reach a model behind an OpenAI-compatible API.
package struct OpenAIModelSettings: Sendable {
    /// The API's base, such as `http://localhost:11434/v1`; slashes at its end are dropped.
    package var baseURL: String
    /// Sent as a bearer token when there is one.
    package var apiKey: Secret?
    package var model: String
    /// The longest wait for a connection.
    package var connectTime: Duration = .seconds(5)
    /// The longest wait for the first token, from the beginning of the call: retries and the waits between count.
    package var firstTokenTime: Duration = .seconds(120)
    /// The longest silence between two pieces of an answer.
    package var idleTime: Duration = .seconds(60)
    /// How many calls run at once; more wait for a connection, `connectTime` long.
    package var concurrency = 256

    package init(baseURL: String, apiKey: Secret? = nil, model: String) {
        self.baseURL = String(baseURL.reversed().drop { $0 == "/" }.reversed())
        self.apiKey = apiKey
        self.model = model
    }

    /// Nil if no base is set: then the offline model answers.
    init?(_ settings: ModelSettings) {
        guard let baseURL = settings.baseURL else { return nil }
        self.init(baseURL: baseURL, apiKey: settings.apiKey, model: settings.name)
        connectTime = .seconds(settings.connectSeconds)
        firstTokenTime = .seconds(settings.firstTokenSeconds)
        idleTime = .seconds(settings.idleSeconds)
        concurrency = settings.concurrency
    }
}

/// Asks a model behind any OpenAI-compatible HTTP API (OpenAI, Ollama, vLLM, llama.cpp, Mistral and others).
///
/// Answers are always streamed. A call that fails before its first text is tried again as `ModelRetrySchedule` and
/// `AttemptFailure` say; after that, never: the text has already been shown to somebody.
package final class OpenAIModel: LanguageModel, Service {
    private let settings: OpenAIModelSettings
    private let client: HTTPClient
    private let logger: Logger
    private let gate: ModelGate
    private let pause: @Sendable (Duration) async throws -> Void
    private let metrics = ModelMetrics()
    /// OpenAI, vLLM and others count tokens of a stream only if `stream_options.include_usage` asks them to; Mistral
    /// counts unasked and refuses the member with 422 `extra_forbidden`. So it is sent, and a server that refuses it by
    /// name (400 or 422) gets the request without it, now and from then on. That is another request and not a retry.
    private let asksForUsage = Atomic(true)

    /// - Parameters:
    ///   - gate: the replica's; every try of every call passes it.
    ///   - pause: waits between tries; tests replace it to look at the waits instead.
    package init(
        settings: OpenAIModelSettings, gate: ModelGate, logger: Logger,
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.settings = settings
        self.logger = logger
        self.gate = gate
        self.pause = pause
        client = HTTPClient(
            HTTPClient.Settings(connectTime: settings.connectTime, concurrency: settings.concurrency))
    }

    /// The one that is asked for.
    package var name: String { settings.model }

    /// Lives until graceful shutdown and then closes the connections. List it before the services that call the model:
    /// a service group stops its services in reverse order.
    package func run() async throws {
        try? await gracefulShutdown()
        await client.shutDown()
    }

    /// Asks the model, again if a try fails before its first text; at most `firstTokenTime` passes before that. While
    /// the model is left alone (`ModelBreaker`), a new call fails at once.
    package func answer(
        _ prompt: Prompt, onDelta: @escaping @Sendable (String) async -> Void
    ) async throws(LanguageModelFailure) -> Completion {
        let start = ContinuousClock.now
        metrics.begin()
        let result = await result(of: prompt, start: start, onDelta: onDelta)
        let outcome: String
        switch result {
        case .success: outcome = "completed"
        case .failure(let failure): outcome = failure.kind.label
        }
        metrics.end(outcome: outcome, after: start.duration(to: .now))
        return try result.get()
    }

    private func result(
        of prompt: Prompt, start: ContinuousClock.Instant, onDelta: @escaping @Sendable (String) async -> Void
    ) async -> Result<Completion, LanguageModelFailure> {
        var schedule = ModelRetrySchedule()
        var isFirst = true
        while true {
            let asksForUsage = asksForUsage.load(ordering: .relaxed)
            switch await attempt(prompt, start: start, asksForUsage: asksForUsage, onDelta: onDelta) {
            case .success(let completion):
                return .success(completion)
            case .failure(let attempt) where attempt.refusesStreamOptions && asksForUsage:
                self.asksForUsage.store(false, ordering: .relaxed)
                logger.notice("the model server refuses stream_options; asking without from now on")
            case .failure(let attempt):
                if isFirst, attempt.wasNotSent { return .failure(attempt.failure) }
                let timeLeft = settings.firstTokenTime - start.duration(to: .now)
                guard await waitForRetry(after: attempt, schedule: &schedule, timeLeft: timeLeft) else {
                    return .failure(Task.isCancelled ? AttemptFailure.cancelled(after: attempt) : attempt.failure)
                }
            }
            isFirst = false
        }
    }

    /// One try, if the gate lets it through; the gate hears how it went.
    private func attempt(
        _ prompt: Prompt, start: ContinuousClock.Instant, asksForUsage: Bool,
        onDelta: @escaping @Sendable (String) async -> Void
    ) async -> Result<Completion, AttemptFailure> {
        let permit: ModelGate.Permit
        do throws(ModelGate.Refusal) { permit = try gate.enter() } catch { return .failure(.notAsked(for: error.time)) }
        let attempt = ModelAttempt(client: client, settings: settings, asksForUsage: asksForUsage) {
            [metrics, gate] in
            metrics.firstToken(after: start.duration(to: .now))
            gate.reached(permit)
        }
        let timeLeft = settings.firstTokenTime - start.duration(to: .now)
        let result = await attempt.run(prompt, firstTokenTime: timeLeft, onDelta: onDelta)
        switch result {
        case .success: gate.answered(permit)
        case .failure(let attempt): gate.failed(permit, attempt.failure)
        }
        return result
    }

    /// Waits until the next try; false if there is none.
    private func waitForRetry(
        after attempt: AttemptFailure, schedule: inout ModelRetrySchedule, timeLeft: Duration
    ) async -> Bool {
        let failure = attempt.failure
        guard attempt.isRetryable, failure.partialText.isEmpty, !Task.isCancelled else { return false }
        let jitter = Double.random(in: 0...1)
        // What another call was told counts for this one, too.
        let leftAlone = max(failure.retryAfter ?? .zero, gate.pauseLeft)
        guard let wait = schedule.wait(retryAfter: leftAlone, timeLeft: timeLeft, jitter: jitter) else {
            return false
        }
        logger.info(
            "asking the model again", metadata: ["cause": "\(failure.cause)", "wait_seconds": "\(wait / .seconds(1))"])
        metrics.retry()
        do { try await pause(wait) } catch { return false }
        return true
    }
}
