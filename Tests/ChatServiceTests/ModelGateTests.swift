import TestSupport
import Testing

@testable import ChatService

@Suite("Calls of the model behind the breaker", .timeLimit(.minutes(5)))
struct ModelGateTests {
    private func kind(_ model: OpenAIModel) async -> LanguageModelFailure? {
        do throws(LanguageModelFailure) {
            _ = try await model.answer(ModelCall.prompt) { _ in }
            return nil
        } catch { return error }
    }

    @Test func aServerThatAsksToBeLeftAloneIsLeftAloneByAllCallsUntilItsTimeIsOver() async throws {
        let replies = [
            ScriptedModelServer.refusal(429, headers: ["Retry-After": "40"]), ScriptedModelServer.answer("Now"),
        ]
        try await ScriptedModelServer.run(replies: replies) { server in
            let clock = ModelClock()
            try await ModelCall.withModel(at: server.baseURL, clock: clock) { model in
                #expect(await kind(model)?.retryAfter == .seconds(40))
                clock.advance(by: .seconds(30))
                let refused = try #require(await kind(model))
                #expect(refused.kind == .unavailable)
                #expect(refused.retryAfter == .seconds(10))
                #expect(server.requests.count == 1, "nobody was asked")
                clock.advance(by: .seconds(10))
                #expect(await kind(model) == nil)
                #expect(server.requests.count == 2)
            }
        }
    }

    @Test func anAbsentModelIsTriedWithOneCallAtATimeAndComesBackByItself() async throws {
        let away = ScriptedModelServer.refusal(503)
        let replies = Array(repeating: away, count: 5) + [[.wait] + ScriptedModelServer.answer("Now")]
        try await ScriptedModelServer.run(replies: replies) { server in
            let clock = ModelClock()
            try await ModelCall.withModel(at: server.baseURL, clock: clock) { model in
                // Four tries of the first call, the fifth failure is the second call's.
                #expect(await kind(model)?.kind == .unavailable)
                async let second = kind(model)
                await server.waitForRequests(6)
                #expect(await kind(model)?.cause == "the model is left alone", "the probe is under way")
                #expect(server.requests.count == 6)
                server.release()
                #expect(await second == nil, "its second try was the probe")
                #expect(await kind(model) == nil)
            }
        }
    }

    @Test func aModelThatRefusesWhatItIsAskedIsNoAbsentModel() async throws {
        try await ScriptedModelServer.run(replies: [ScriptedModelServer.refusal(400)]) { server in
            try await ModelCall.withModel(at: server.baseURL) { model in
                for _ in 0..<10 { #expect(await kind(model)?.kind == .failed) }
                #expect(server.requests.count == 10)
            }
        }
    }

    @Test func aDateInRetryAfterIsReadByTheServersOwnClock() async throws {
        let headers = ["Date": "Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After": "Sun, 06 Nov 1994 08:50:17 GMT"]
        try await ScriptedModelServer.run(replies: [ScriptedModelServer.refusal(503, headers: headers)]) { server in
            try await ModelCall.withModel(at: server.baseURL) { model in
                #expect(await kind(model)?.retryAfter == .seconds(40))
            }
        }
    }
}
