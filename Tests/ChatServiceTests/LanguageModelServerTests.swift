import Logging
import Synchronization
import TestSupport
import Testing

@testable import ChatService

@Suite("A model behind HTTP", .timeLimit(.minutes(1)))
struct LanguageModelServerTests {
    @Test func aStreamedAnswerArrivesInItsPieces() async throws {
        let call = try await ask(replies: [ScriptedModelServer.answer("Good ", "day, ", "мир 👋🏽")])
        #expect(try call.result.get().text == "Good day, мир 👋🏽")
        #expect(call.deltas == ["Good ", "day, ", "мир 👋🏽"])
        #expect(try call.result.get().model == "scripted")
        let usage = TokenUsage(promptTokens: 7, completionTokens: 3, totalTokens: 10)
        #expect(try call.result.get().usage == usage)
        let request = try #require(call.requests.first)
        #expect(request.method == "POST" && request.path == "/v1/chat/completions")
        #expect(request.headers["authorization"] == "Bearer secret-key")
        #expect(request.headers["content-type"] == "application/json")
        #expect(request.body.contains(#""stream":true"#) && request.body.contains(#""include_usage":true"#))
        #expect(request.body.contains(#""model":"test-model""#) && request.body.contains("How are you?"))
    }

    @Test func withoutAKeyNothingIsAuthorised() async throws {
        let call = try await ask(replies: [ScriptedModelServer.answer("Hi")]) { $0.apiKey = nil }
        #expect(call.requests.first?.headers["authorization"] == nil)
    }

    @Test func aStreamInChunksOfOneByteIsTheSameAnswer() async throws {
        let events = ": ping\r\n\r\n" + ScriptedModelServer.event(delta: "Привет, 世界 👩‍👩‍👧‍👦") + "data: [DONE]\n\n"
        let call = try await ask(replies: [[.streamHead, .eachByte(events)]])
        #expect(try call.result.get().text == "Привет, 世界 👩‍👩‍👧‍👦")
    }

    @Test func plainJSONAlthoughAStreamWasAskedIsAnAnswer() async throws {
        let body = #"{"model":"plain","choices":[{"message":{"content":"Whole"},"finish_reason":"stop"}]}"#
        let call = try await ask(replies: [ScriptedModelServer.refusal(200, body)])
        #expect(try call.result.get() == Completion(text: "Whole", usage: nil, model: "plain"))
        #expect(call.deltas == ["Whole"])
    }

    @Test(
        arguments: [
            [.finish, .hang], [.finish, .drop],
            [.body(#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"# + "\n\n"), .drop],
            [.body(#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"# + "\n\n"), .hang],
        ] as [[ScriptedModelServer.Step]])
    func whatTheConnectionDoesAfterTheEndOfTheAnswerDoesNotMatter(end: [ScriptedModelServer.Step]) async throws {
        let call = try await ask(replies: [[.streamHead, .delta("All said")] + end])
        #expect(try call.result.get().text == "All said")
        #expect(call.requests.count == 1)
    }

    @Test(
        arguments: [[.streamHead, .delta("Half a")], [.streamHead, .delta("Half a"), .drop]]
            as [[ScriptedModelServer.Step]])
    func anAnswerBrokenOffFailsWithItsPartKeptAndIsNotAskedAgain(steps: [ScriptedModelServer.Step]) async throws {
        let call = try await ask(replies: [steps])
        #expect(call.failure?.kind == .failed)
        #expect(call.failure?.partialText == "Half a")
        #expect(call.failure?.detail == "The language model broke off its answer.")
        #expect(call.deltas == ["Half a"])
        #expect(call.requests.count == 1)
    }

    @Test func anErrorAfterTextIsNotAskedAgainEvenIfItIsAPassingOne() async throws {
        let error = #"data: {"error":{"message":"overloaded","code":503}}"# + "\n\n"
        let call = try await ask(replies: [[.streamHead, .delta("Half"), .body(error)]])
        #expect(call.failure?.kind == .unavailable)
        #expect(call.failure?.partialText == "Half")
        #expect(call.requests.count == 1)
    }

    @Test func anEmptyAnswerIsAFailure() async throws {
        let call = try await ask(replies: [[.streamHead, .delta(" \n"), .finish]])
        #expect(call.failure?.kind == .failed)
        #expect(call.failure?.detail == "The language model gave an empty answer.")
    }

    @Test(arguments: [408, 409, 429, 500, 502, 503, 504, 529])
    func aPassingRefusalIsAskedAgain(status: Int) async throws {
        let call = try await ask(replies: [
            ScriptedModelServer.refusal(status), ScriptedModelServer.refusal(status), ScriptedModelServer.answer("Now"),
        ])
        #expect(try call.result.get().text == "Now")
        #expect(call.requests.count == 3)
        #expect(call.pauses.count == 2)
        #expect(zip(call.pauses, [0.25...0.5, 0.5...1.0]).allSatisfy { $1.contains($0 / .seconds(1)) })
    }

    @Test(arguments: [
        #"data: {"error":{"message":"Rate limit","code":429}}"#, #"data: {"error":{"code":"503"}}"#,
        #"data: {"error":{"message":"x","type":"overloaded_error"}}"#, #"data: {"error":"Loading model"}"#,
        #"data: {"object":"error","message":"internal","code":500}"#,
    ])
    func aPassingErrorInsideAStreamIsAskedAgain(event: String) async throws {
        let first: [ScriptedModelServer.Step] = [.streamHead, .body(event + "\n\n")]
        let call = try await ask(replies: [first, ScriptedModelServer.answer("Now")])
        #expect(try call.result.get().text == "Now")
        #expect(call.requests.count == 2)
    }

    @Test func aConnectionDroppedBeforeTheFirstTextIsAskedAgain() async throws {
        let call = try await ask(replies: [[.drop], [.streamHead, .drop], ScriptedModelServer.answer("Now")])
        #expect(try call.result.get().text == "Now")
        #expect(call.requests.count == 3)
    }

    @Test(arguments: [
        (408, LanguageModelFailure.Kind.timedOut), (429, .unavailable), (500, .failed), (502, .unavailable),
        (503, .unavailable), (504, .timedOut),
    ])
    func aServerThatGoesOnRefusingIsGivenUpAfterFourTries(status: Int, kind: LanguageModelFailure.Kind) async throws {
        let call = try await ask(replies: [ScriptedModelServer.refusal(status)])
        #expect(call.failure?.kind == kind)
        #expect(call.requests.count == ModelRetrySchedule.attemptsMax)
    }

    @Test(arguments: [301, 400, 401, 403, 404, 422])
    func aFinalRefusalIsNeverAskedAgain(status: Int) async throws {
        let body = #"{"error":{"message":"Loading model of secret-key, unknown","code":\#(status)}}"#
        let call = try await ask(replies: [
            ScriptedModelServer.refusal(status, body, headers: ["Retry-After": "0", "Location": "/elsewhere"])
        ])
        #expect(call.requests.map(\.path) == ["/v1/chat/completions"])
        let failure = try #require(call.failure)
        #expect(failure.kind == .failed)
        #expect(!"\(failure)".contains("secret-key"))
        #expect(failure.cause.contains("HTTP \(status)") && failure.cause.contains("[key]"))
        #expect(!failure.detail.contains("Loading"))
    }

    @Test(arguments: [true, false])
    func aQuotaThatIsUsedUpIsNeverAskedAgain(isInsideStream: Bool) async throws {
        let error =
            #"{"error":{"message":"You exceeded your quota","type":"insufficient_quota","code":"insufficient_quota"}}"#
        let reply: [ScriptedModelServer.Step] =
            isInsideStream
            ? [.streamHead, .body("data: \(error)\n\n")] : ScriptedModelServer.refusal(429, error)
        let call = try await ask(replies: [reply])
        #expect(call.failure?.kind == .unavailable)
        #expect(call.failure?.detail == "The language model's quota is used up.")
        #expect(call.requests.count == 1)
    }

    @Test func retryAfterIsHonoured() async throws {
        let call = try await ask(replies: [
            ScriptedModelServer.refusal(429, headers: ["Retry-After": "12"]), ScriptedModelServer.answer("Now"),
        ])
        #expect(call.pauses == [.seconds(12)])
        #expect(try call.result.get().text == "Now")
    }

    @Test func aRetryAfterBeyondTheBudgetIsPassedOnToTheCaller() async throws {
        let call = try await ask(replies: [ScriptedModelServer.refusal(503, headers: ["Retry-After": "90"])])
        #expect(call.failure?.kind == .unavailable)
        #expect(call.failure?.retryAfter == .seconds(90))
        #expect(call.requests.count == 1 && call.pauses.isEmpty)
    }

    @Test(arguments: [400, 422])
    func aServerThatRefusesStreamOptionsIsAskedWithoutThemFromThenOn(status: Int) async throws {
        let refusal =
            #"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"]}]}}"#
        let script: ScriptedModelServer.Script = { _, request in
            request.body.contains("stream_options")
                ? ScriptedModelServer.refusal(status, refusal) : ScriptedModelServer.answer("Fine")
        }
        try await ScriptedModelServer.run(script) { server in
            try await withModel(at: server.baseURL) { model in
                for _ in 0..<2 {
                    let completion = try await model.answer(Self.prompt) { _ in }
                    #expect(completion.text == "Fine")
                }
            }
            #expect(server.requests.map { $0.body.contains("stream_options") } == [true, false, false])
        }
    }

    @Test func aServerThatIsNotThereIsUnavailable() async throws {
        // The port of a server that has ended.
        let baseURL = try await ScriptedModelServer.run(replies: [[]]) { $0.baseURL }
        let call = try await ask(at: baseURL)
        #expect(call.failure?.kind == .unavailable)
        #expect(call.failure?.detail == "The language model could not be reached.")
        #expect(call.pauses.count == ModelRetrySchedule.attemptsMax - 1)
    }

    @Test(arguments: [[.hang], [.streamHead, .body(": ping\n\n"), .hang]] as [[ScriptedModelServer.Step]])
    func noFirstTokenIsATimeoutAndEndsTheRequest(steps: [ScriptedModelServer.Step]) async throws {
        try await ScriptedModelServer.run(replies: [steps]) { server in
            let call = try await ask(at: server.baseURL) { $0.firstTokenTime = .milliseconds(200) }
            #expect(call.failure?.kind == .timedOut)
            #expect(call.failure?.cause == "no first token")
            await server.waitForDisconnects(1)
            #expect(server.requests.count == 1)
        }
    }

    @Test(
        arguments: [
            [.streamHead, .delta("Well, "), .hang], [.streamHead, .delta("Well, "), .body(": ping\n\n"), .hang],
        ] as [[ScriptedModelServer.Step]])
    func silenceWithinAnAnswerIsATimeoutWithThePartKept(steps: [ScriptedModelServer.Step]) async throws {
        try await ScriptedModelServer.run(replies: [steps]) { server in
            let call = try await ask(at: server.baseURL) { $0.idleTime = .milliseconds(200) }
            #expect(call.failure?.kind == .timedOut)
            #expect(call.failure?.partialText == "Well, ")
            await server.waitForDisconnects(1)
        }
    }

    @Test func cancellingTheTaskEndsTheRequest() async throws {
        try await ScriptedModelServer.run(replies: [[.streamHead, .delta("Well, "), .hang]]) { server in
            try await withModel(at: server.baseURL) { model in
                let (started, signal) = AsyncStream.makeStream(of: Void.self)
                let task = Task { try await model.answer(Self.prompt) { _ in signal.finish() } }
                for await _ in started {}
                task.cancel()
                let failure = await #expect(throws: LanguageModelFailure.self) { try await task.value }
                #expect(failure?.kind == .cancelled)
                #expect(failure?.partialText == "Well, ")
                await server.waitForDisconnects(1)
            }
        }
    }

    @Test func cancellingDuringAWaitEndsTheCallWithoutAnotherTry() async throws {
        try await ScriptedModelServer.run(replies: [ScriptedModelServer.refusal(503)]) { server in
            let (waits, signal) = AsyncStream.makeStream(of: Void.self)
            let pause: @Sendable (Duration) async throws -> Void = { _ in
                signal.finish()
                try await Task.sleep(for: .seconds(3_600))
            }
            try await withModel(at: server.baseURL, pause: pause) { model in
                let task = Task { try await model.answer(Self.prompt) { _ in } }
                for await _ in waits {}
                task.cancel()
                let failure = await #expect(throws: LanguageModelFailure.self) { try await task.value }
                #expect(failure?.kind == .cancelled)
            }
            #expect(server.requests.count == 1)
        }
    }

    @Test func asManyCallsAsAllowedRunAtOnce() async throws {
        let calls = 256
        let script: ScriptedModelServer.Script = { index, _ in
            [.streamHead, .wait, .delta("Number \(index)"), .finish]
        }
        try await ScriptedModelServer.run(script) { server in
            try await withModel(at: server.baseURL) { model in
                let texts = try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<calls { group.addTask { try await model.answer(Self.prompt) { _ in }.text } }
                    await server.waitForRequests(calls)
                    server.release()
                    return try await group.reduce(into: Set<String>()) { $0.insert($1) }
                }
                #expect(texts.count == calls)
            }
        }
    }

    @Test func connectionsAreUsedAgain() async throws {
        try await ScriptedModelServer.run(replies: [ScriptedModelServer.answer("Hi")]) { server in
            try await withModel(at: server.baseURL) { model in
                for _ in 0..<5 { _ = try await model.answer(Self.prompt) { _ in } }
            }
            await server.waitForDisconnects(1)
            #expect(server.connectionsOpened == 1)
            #expect(server.requests.count == 5)
        }
    }

    // MARK: -

    private static let prompt = Prompt(messages: [PromptMessage(role: .user, content: "How are you?")])

    /// What a call came to, and what the server and the waits saw of it.
    private struct Call {
        var result: Result<Completion, LanguageModelFailure>
        var deltas: [String]
        var pauses: [Duration]
        var requests: [ScriptedModelServer.Request] = []

        var failure: LanguageModelFailure? {
            guard case .failure(let failure) = result else { return nil }
            return failure
        }
    }

    private func ask(
        replies: [[ScriptedModelServer.Step]], _ change: (inout OpenAIModelSettings) -> Void = { _ in }
    ) async throws -> Call {
        try await ScriptedModelServer.run(replies: replies) { server in
            var call = try await ask(at: server.baseURL, change)
            call.requests = server.requests
            return call
        }
    }

    private func ask(
        at baseURL: String, _ change: (inout OpenAIModelSettings) -> Void = { _ in }
    ) async throws -> Call {
        let pauses = Mutex<[Duration]>([])
        let deltas = Mutex<[String]>([])
        let result = try await withModel(
            at: baseURL, change, pause: { pause in pauses.withLock { $0.append(pause) } },
            { model in
                do throws(LanguageModelFailure) {
                    let completion = try await model.answer(Self.prompt) { delta in deltas.withLock { $0.append(delta) }
                    }
                    return Result<Completion, LanguageModelFailure>.success(completion)
                } catch {
                    return .failure(error)
                }
            })
        return Call(result: result, deltas: deltas.withLock { $0 }, pauses: pauses.withLock { $0 })
    }

    private func withModel<Outcome: Sendable>(
        at baseURL: String, _ change: (inout OpenAIModelSettings) -> Void = { _ in },
        pause: @escaping @Sendable (Duration) async throws -> Void = { _ in },
        _ body: (OpenAIModel) async throws -> Outcome
    ) async throws -> Outcome {
        var settings = OpenAIModelSettings(baseURL: baseURL, apiKey: "secret-key", model: "test-model")
        change(&settings)
        let logger = Logger(label: "model tests", factory: { _ in SwiftLogNoOpLogHandler() })
        let model = OpenAIModel(settings: settings, logger: logger, pause: pause)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await model.run() }
            let outcome = try await body(model)
            group.cancelAll()
            try await group.waitForAll()
            return outcome
        }
    }
}
