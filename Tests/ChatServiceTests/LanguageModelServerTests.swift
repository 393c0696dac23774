import TestSupport
import Testing

@testable import ChatService

@Suite("A model behind HTTP: answers and refusals", .timeLimit(.minutes(5)))
struct LanguageModelServerTests {
    @Test func aStreamedAnswerArrivesInItsPieces() async throws {
        let call = try await ModelCall.ask(replies: [ScriptedModelServer.answer("Good ", "day, ", "мир 👋🏽")])
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
        let call = try await ModelCall.ask(replies: [ScriptedModelServer.answer("Hi")]) { $0.apiKey = nil }
        #expect(call.requests.first?.headers["authorization"] == nil)
    }

    @Test func aStreamInChunksOfOneByteIsTheSameAnswer() async throws {
        let events = ": ping\r\n\r\n" + ScriptedModelServer.event(delta: "Привет, 世界 👩‍👩‍👧‍👦") + "data: [DONE]\n\n"
        let call = try await ModelCall.ask(replies: [[.streamHead, .eachByte(events)]])
        #expect(try call.result.get().text == "Привет, 世界 👩‍👩‍👧‍👦")
    }

    @Test func plainJSONAlthoughAStreamWasAskedIsAnAnswer() async throws {
        let body = #"{"model":"plain","choices":[{"message":{"content":"Whole"},"finish_reason":"stop"}]}"#
        let call = try await ModelCall.ask(replies: [ScriptedModelServer.refusal(200, body)])
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
        let call = try await ModelCall.ask(replies: [[.streamHead, .delta("All said")] + end])
        #expect(try call.result.get().text == "All said")
        #expect(call.requests.count == 1)
    }

    @Test(
        arguments: [[.streamHead, .delta("Half a")], [.streamHead, .delta("Half a"), .drop]]
            as [[ScriptedModelServer.Step]])
    func anAnswerBrokenOffFailsWithItsPartKeptAndIsNotAskedAgain(steps: [ScriptedModelServer.Step]) async throws {
        let call = try await ModelCall.ask(replies: [steps])
        #expect(call.failure?.kind == .failed)
        #expect(call.failure?.partialText == "Half a")
        #expect(call.failure?.detail == "The language model broke off its answer.")
        #expect(call.deltas == ["Half a"])
        #expect(call.requests.count == 1)
    }

    @Test func anErrorAfterTextIsNotAskedAgainEvenIfItIsAPassingOne() async throws {
        let error = #"data: {"error":{"message":"overloaded","code":503}}"# + "\n\n"
        let call = try await ModelCall.ask(replies: [[.streamHead, .delta("Half"), .body(error)]])
        #expect(call.failure?.kind == .unavailable)
        #expect(call.failure?.partialText == "Half")
        #expect(call.requests.count == 1)
    }

    @Test func anEmptyAnswerIsAFailure() async throws {
        let call = try await ModelCall.ask(replies: [[.streamHead, .delta(" \n"), .finish]])
        #expect(call.failure?.kind == .failed)
        #expect(call.failure?.detail == "The language model gave an empty answer.")
    }

    @Test(arguments: [408, 409, 429, 500, 502, 503, 504, 529])
    func aPassingRefusalIsAskedAgain(status: Int) async throws {
        let call = try await ModelCall.ask(replies: [
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
        let call = try await ModelCall.ask(replies: [first, ScriptedModelServer.answer("Now")])
        #expect(try call.result.get().text == "Now")
        #expect(call.requests.count == 2)
    }

    @Test func aConnectionDroppedBeforeTheFirstTextIsAskedAgain() async throws {
        let call = try await ModelCall.ask(replies: [[.drop], [.streamHead, .drop], ScriptedModelServer.answer("Now")])
        #expect(try call.result.get().text == "Now")
        #expect(call.requests.count == 3)
    }

    @Test(arguments: [
        (408, LanguageModelFailure.Kind.timedOut), (429, .unavailable), (500, .failed), (502, .unavailable),
        (503, .unavailable), (504, .timedOut),
    ])
    func aServerThatGoesOnRefusingIsGivenUpAfterFourTries(status: Int, kind: LanguageModelFailure.Kind) async throws {
        let call = try await ModelCall.ask(replies: [ScriptedModelServer.refusal(status)])
        #expect(call.failure?.kind == kind)
        #expect(call.requests.count == ModelRetrySchedule.attemptsMax)
    }

    @Test(arguments: [301, 400, 401, 403, 404, 422])
    func aFinalRefusalIsNeverAskedAgain(status: Int) async throws {
        let body = #"{"error":{"message":"Loading model of secret-key, unknown","code":\#(status)}}"#
        let call = try await ModelCall.ask(replies: [
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
        let call = try await ModelCall.ask(replies: [reply])
        #expect(call.failure?.kind == .unavailable)
        #expect(call.failure?.detail == "The language model's quota is used up.")
        #expect(call.requests.count == 1)
    }

    @Test func retryAfterIsHonoured() async throws {
        let call = try await ModelCall.ask(replies: [
            ScriptedModelServer.refusal(429, headers: ["Retry-After": "12"]), ScriptedModelServer.answer("Now"),
        ])
        #expect(call.pauses == [.seconds(12)])
        #expect(try call.result.get().text == "Now")
    }

    @Test func aRetryAfterBeyondTheBudgetIsPassedOnToTheCaller() async throws {
        let call = try await ModelCall.ask(replies: [ScriptedModelServer.refusal(503, headers: ["Retry-After": "90"])])
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
            try await ModelCall.withModel(at: server.baseURL) { model in
                for _ in 0..<2 {
                    let completion = try await model.answer(ModelCall.prompt) { _ in }
                    #expect(completion.text == "Fine")
                }
            }
            #expect(server.requests.map { $0.body.contains("stream_options") } == [true, false, false])
        }
    }
}
