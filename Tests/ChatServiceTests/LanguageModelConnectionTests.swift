import TestSupport
import Testing

@testable import ChatService

@Suite("A model behind HTTP: time and connections", .timeLimit(.minutes(5)))
struct LanguageModelConnectionTests {
    @Test func aServerThatIsNotThereIsUnavailable() async throws {
        // The port of a server that has ended.
        let baseURL = try await ScriptedModelServer.run(replies: [[]]) { $0.baseURL }
        let call = try await ModelCall.ask(at: baseURL)
        #expect(call.failure?.kind == .unavailable)
        #expect(call.failure?.detail == "The language model could not be reached.")
        #expect(call.pauses.count == ModelRetrySchedule.attemptsMax - 1)
    }

    @Test(arguments: [[.hang], [.streamHead, .body(": ping\n\n"), .hang]] as [[ScriptedModelServer.Step]])
    func noFirstTokenIsATimeoutAndEndsTheRequest(steps: [ScriptedModelServer.Step]) async throws {
        try await ScriptedModelServer.run(replies: [steps]) { server in
            // Long enough for the request to arrive at a server that shares the machine with other tests.
            let call = try await ModelCall.ask(at: server.baseURL) { $0.firstTokenTime = .seconds(3) }
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
            let call = try await ModelCall.ask(at: server.baseURL) { $0.idleTime = .milliseconds(200) }
            #expect(call.failure?.kind == .timedOut)
            #expect(call.failure?.partialText == "Well, ")
            await server.waitForDisconnects(1)
        }
    }

    @Test func cancellingTheTaskEndsTheRequest() async throws {
        try await ScriptedModelServer.run(replies: [[.streamHead, .delta("Well, "), .hang]]) { server in
            try await ModelCall.withModel(at: server.baseURL) { model in
                let (started, signal) = AsyncStream.makeStream(of: Void.self)
                let task = Task { try await model.answer(ModelCall.prompt) { _ in signal.finish() } }
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
            try await ModelCall.withModel(at: server.baseURL, pause: pause) { model in
                let task = Task { try await model.answer(ModelCall.prompt) { _ in } }
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
            try await ModelCall.withModel(at: server.baseURL) { model in
                let texts = try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<calls { group.addTask { try await model.answer(ModelCall.prompt) { _ in }.text } }
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
            try await ModelCall.withModel(at: server.baseURL) { model in
                for _ in 0..<5 { _ = try await model.answer(ModelCall.prompt) { _ in } }
            }
            await server.waitForDisconnects(1)
            #expect(server.connectionsOpened == 1)
            #expect(server.requests.count == 5)
        }
    }
}
