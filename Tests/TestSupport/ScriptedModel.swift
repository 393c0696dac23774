import Foundation
import Hummingbird
import Logging
import NIOCore
import Synchronization

/// A language model with the OpenAI interface on a port of its own, that does what the test has written down for it.
package final class ScriptedModel: Sendable {
    /// What to do with one call.
    package enum Turn: Sendable {
        /// Streams these pieces and finishes properly.
        case answer([String])
        /// Answers with this status and an error object.
        case status(Int)
        /// Streams these pieces and breaks off.
        case breakOff([String])
        /// Streams these pieces when `release` is called.
        case held([String])
    }

    private struct State {
        var turns: [Turn] = []
        var calls: [JSON] = []
        var watchers: [AsyncStream<Int>.Continuation] = []
        var gates: [AsyncStream<Void>.Continuation] = []
        var isReleased = false
        var pause = Duration.zero
    }

    private let state = Mutex(State())

    private init() {}

    /// Runs `body` with a model and the settings that make ChatService ask it.
    package static func run<R: Sendable>(
        _ body: @escaping @Sendable (_ model: ScriptedModel, _ settings: [String: String]) async throws -> R
    ) async throws -> R {
        let model = ScriptedModel()
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let router = Router()
        router.post("/v1/chat/completions") { request, _ in try await model.answer(request) }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) }, logger: .quiet)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            defer { group.cancelAll() }
            guard let number = await ports.first(where: { _ in true }) else { throw SuiteFault(description: "no port") }
            let settings = [
                "LLM_BASE_URL": "http://127.0.0.1:\(number)/v1", "LLM_MODEL": "scripted", "LLM_API_KEY": "key",
            ]
            return try await body(model, settings)
        }
    }

    /// What the next calls get, in order; without a turn a call gets the answer "All is well.".
    package func script(_ turns: Turn...) { state.withLock { $0.turns += turns } }

    /// How long every answer takes to begin: for loads, not for the order of events.
    package var pause: Duration {
        get { state.withLock { $0.pause } }
        set { state.withLock { $0.pause = newValue } }
    }

    /// The bodies of the calls so far.
    package var calls: [JSON] { state.withLock { $0.calls } }

    /// Lets all held answers go, the later ones too.
    package func release() {
        let gates = state.withLock { state in
            state.isReleased = true
            return state.gates
        }
        for gate in gates { gate.finish() }
    }

    /// Waits until so many calls have come in.
    package func waitForCalls(_ count: Int, atMost limit: Duration = .seconds(30)) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
        state.withLock { state in
            state.watchers.append(continuation)
            continuation.yield(state.calls.count)
        }
        try await waiting(for: "\(count) calls of the model", atMost: limit) {
            for await calls in stream where calls >= count { return }
        }
    }

    private func answer(_ request: Request) async throws -> Response {
        let call = try JSON(parsing: Data(buffer: try await request.body.collect(upTo: 16 << 20)))
        let (turn, watchers, count) = state.withLock { state in
            state.calls.append(call)
            let turn = state.turns.isEmpty ? Turn.answer(["All ", "is ", "well."]) : state.turns.removeFirst()
            return (turn, state.watchers, state.calls.count)
        }
        for watcher in watchers { watcher.yield(count) }
        if case let pause = pause, pause > .zero { try await Task.sleep(for: pause) }
        switch turn {
        case .answer(let pieces): return stream(pieces, isWhole: true)
        case .breakOff(let pieces): return stream(pieces, isWhole: false)
        case .held(let pieces):
            await gate()
            return stream(pieces, isWhole: true)
        case .status(let code):
            let body = ByteBuffer(string: #"{"error":{"message":"scripted","type":"scripted","code":null}}"#)
            let headers: HTTPFields = [.contentType: "application/json"]
            return Response(status: .init(code: code), headers: headers, body: .init(byteBuffer: body))
        }
    }

    private func gate() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        let isOpen = state.withLock { state in
            if !state.isReleased { state.gates.append(continuation) }
            return state.isReleased
        }
        if isOpen { continuation.finish() }
        for await _ in stream {}
    }

    private func stream(_ pieces: [String], isWhole: Bool) -> Response {
        let body = ResponseBody { writer in
            for piece in pieces {
                let delta: JSON = ["choices": [["index": 0, "delta": ["content": .string(piece)]]]]
                try await writer.write(Self.event(delta.bytes))
            }
            guard isWhole else { throw SuiteFault(description: "scripted break") }
            let usage: JSON = ["prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10]
            let end: JSON = ["choices": [["index": 0, "delta": [:], "finish_reason": "stop"]], "usage": usage]
            try await writer.write(Self.event(end.bytes))
            try await writer.write(ByteBuffer(string: "data: [DONE]\n\n"))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/event-stream"], body: body)
    }

    private static func event(_ data: Data) -> ByteBuffer {
        var buffer = ByteBuffer(string: "data: ")
        buffer.writeBytes(data)
        buffer.writeString("\n\n")
        return buffer
    }
}
