import Logging
import Shared
import Synchronization
import TestSupport

@testable import ChatService

/// What a call of the model came to, and what the server and the waits saw of it.
struct ModelCall {
    var result: Result<Completion, LanguageModelFailure>
    var deltas: [String]
    var pauses: [Duration]
    var requests: [ScriptedModelServer.Request] = []

    var failure: LanguageModelFailure? {
        guard case .failure(let failure) = result else { return nil }
        return failure
    }

    static let prompt = Prompt(messages: [PromptMessage(role: .user, content: "How are you?")])

    static func ask(
        replies: [[ScriptedModelServer.Step]], _ change: (inout OpenAIModelSettings) -> Void = { _ in }
    ) async throws -> ModelCall {
        try await ScriptedModelServer.run(replies: replies) { server in
            var call = try await ask(at: server.baseURL, change)
            call.requests = server.requests
            return call
        }
    }

    static func ask(
        at baseURL: String, _ change: (inout OpenAIModelSettings) -> Void = { _ in }
    ) async throws -> ModelCall {
        let pauses = Mutex<[Duration]>([])
        let deltas = Mutex<[String]>([])
        let result = try await withModel(
            at: baseURL, change, pause: { pause in pauses.withLock { $0.append(pause) } },
            { model in
                do throws(LanguageModelFailure) {
                    let completion = try await model.answer(prompt) { delta in deltas.withLock { $0.append(delta) }
                    }
                    return Result<Completion, LanguageModelFailure>.success(completion)
                } catch {
                    return .failure(error)
                }
            })
        return ModelCall(result: result, deltas: deltas.withLock { $0 }, pauses: pauses.withLock { $0 })
    }

    static func withModel<Outcome: Sendable>(
        at baseURL: String, _ change: (inout OpenAIModelSettings) -> Void = { _ in },
        pause: @escaping @Sendable (Duration) async throws -> Void = { _ in },
        clock: ModelClock = ModelClock(), _ body: (OpenAIModel) async throws -> Outcome
    ) async throws -> Outcome {
        var settings = OpenAIModelSettings(baseURL: baseURL + "/", apiKey: Secret("secret-key"), model: "test-model")
        // Whoever tests a limit sets it.
        settings.firstTokenTime = .seconds(3600)
        settings.idleTime = .seconds(3600)
        change(&settings)
        let logger = Logger(label: "model tests", factory: { _ in SwiftLogNoOpLogHandler() })
        let gate = ModelGate(logger: logger) { clock.now }
        let model = OpenAIModel(settings: settings, gate: gate, logger: logger) { time in
            clock.advance(by: time)
            try await pause(time)
        }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await model.run() }
            let outcome = try await body(model)
            group.cancelAll()
            try await group.waitForAll()
            return outcome
        }
    }
}

/// The time of a gate: it stands still but for the waits, which nobody has to sit through.
final class ModelClock: Sendable {
    private let time = Mutex(ContinuousClock.now)

    var now: ContinuousClock.Instant { time.withLock { $0 } }
    func advance(by wait: Duration) { time.withLock { $0 += wait } }
}
