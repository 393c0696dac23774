import AsyncHTTPClient
import Synchronization
import TestSupport
import Testing

@testable import ChatService

@Suite("A model's response read at another pace than it comes", .timeLimit(.minutes(5)))
struct ModelResponseTests {
    private static let stop = ScriptedModelServer.Step.body(
        #"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"# + "\n\n")

    @Test func whatWasSaidBeforeTheConnectionEndedIsReadHoweverBusyTheReader() async throws {
        let pieces = (2...40).map { "\($0) " }
        let reply = [.streamHead, .delta("1 "), .wait] + pieces.map { .delta($0) } + [Self.stop, .drop]
        try await ScriptedModelServer.run(replies: [reply]) { server in
            let completion = try await ModelCall.withModel(at: server.baseURL) { model in
                try await model.answer(ModelCall.prompt) { delta in
                    guard delta == "1 " else { return }
                    server.release()
                    await server.waitForDisconnects(1)
                    // Nothing tells when the client has noticed it, too.
                    try? await Task.sleep(for: .milliseconds(100))
                }
            }
            #expect(completion.text == "1 " + pieces.joined())
        }
    }

    /// 128 MiB are offered; what may be under way are 2 MiB here and the buffers of two sockets, as large as the
    /// kernel lets them become (tcp(7): 6 and 4 MiB, here 32 and 4).
    @Test func aServerWaitsForAReaderThatIsBehindAndThenGoesOn() async throws {
        let (pieceBytes, pieces) = (64 * 1024, 2048)
        let sent = Mutex(0)
        let piece = ScriptedModelServer.Step.bytes(Array(repeating: 0, count: pieceBytes))
        let body = (0..<pieces).flatMap { _ in [piece, .call { sent.withLock { $0 += 1 } }] }
        try await ScriptedModelServer.run(replies: [[.streamHead] + body]) { server in
            let received = try await HTTPClient.withHTTPClient(
                eventLoopGroup: HTTPClient.defaultEventLoopGroup.next()
            ) { client in
                let request = try HTTPClient.Request(url: server.baseURL)
                var response = ModelResponse.reader(of: request, by: client)
                guard case .head? = try await response.next() else { return 0 }
                #expect(await restingValue { sent.withLock { $0 } } < pieces / 2)
                var received = 0
                while case .body(let bytes)? = try await response.next() { received += bytes.readableBytes }
                return received
            }
            #expect(received == pieceBytes * pieces)
        }
    }

    @Test func aClientThatWasShutDownFailsAtOnce() async throws {
        let client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup.next())
        try await client.shutdown()
        var response = ModelResponse.reader(of: try HTTPClient.Request(url: "http://127.0.0.1:9"), by: client)
        await #expect(throws: HTTPClientError.alreadyShutdown) { _ = try await response.next() }
    }

    /// The value that has not changed for half a second.
    private func restingValue(_ value: () -> Int) async -> Int {
        var (last, repetitions) = (value(), 0)
        while repetitions < 10 {
            try? await Task.sleep(for: .milliseconds(50))
            let current = value()
            repetitions = current == last && current > 0 ? repetitions + 1 : 0
            last = current
        }
        return last
    }
}
