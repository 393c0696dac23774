import CurlHTTP
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("HTTP client: time, back-pressure, and the end of a transfer", .timeLimit(.minutes(2)))
struct TransferTests {
    /// 128 MiB are offered. What may be under way is 256 KiB here and the buffers of two sockets, as large as the
    /// kernel lets them become (tcp(7): 6 and 4 MiB, here 32 and 4).
    @Test func aServerWaitsForAReaderThatIsBehindAndThenGoesOn() async throws {
        let (pieceBytes, pieces) = (64 * 1024, 2048)
        let sent = Mutex(0)
        let piece = ScriptedModelServer.Step.bytes(Array(repeating: 7, count: pieceBytes))
        let body = (0..<pieces).flatMap { _ in [piece, .call { sent.withLock { $0 += 1 } }] }
        try await ScriptedModelServer.run(replies: [[.streamHead] + body]) { server in
            try await withClient { client in
                let response = client.send(HTTPClientRequest("GET", url: server.baseURL))
                let head = try await response.next()
                #expect(head?.status == 200)
                #expect(await restingValue { sent.withLock { $0 } } < pieces / 2)
                var received = 0
                while case .body(let bytes)? = try await response.next() {
                    #expect(bytes.allSatisfy { $0 == 7 })
                    received += bytes.count
                }
                #expect(received == pieceBytes * pieces)
            }
        }
    }

    @Test func whatWasSaidBeforeTheConnectionEndedIsReadHoweverBusyTheReader() async throws {
        // More than may wait for a reader: the transfer is paused when the connection ends.
        let text = (1...500).map { "\($0) " + String(repeating: "x", count: 2_000) }
        try await ScriptedModelServer.run(replies: [[.streamHead] + text.map { .body($0) } + [.drop]]) { server in
            try await withClient { client in
                let response = client.send(HTTPClientRequest("GET", url: server.baseURL))
                await server.waitForDisconnects(1)
                var body: [UInt8] = []
                let failure = await #expect(throws: HTTPClientError.self) {
                    while let part = try await response.next() { if case .body(let bytes) = part { body += bytes } }
                }
                #expect(String(decoding: body, as: UTF8.self) == text.joined())
                #expect(failure?.code != nil)
            }
        }
    }

    @Test func aResetConnectionIsAnErrorAfterWhatWasReadBefore() async throws {
        try await ScriptedModelServer.run(replies: [[.streamHead, .body("Half"), .wait, .reset]]) { server in
            try await withClient { client in
                let response = client.send(HTTPClientRequest("GET", url: server.baseURL))
                let parts = [try await response.next(), try await response.next()]
                #expect(parts[0]?.status == 200 && parts[1] == .body(Array("Half".utf8)))
                server.release()
                let failure = await #expect(throws: HTTPClientError.self) { _ = try await response.next() }
                guard case .failed(_, let reason) = failure else {
                    Issue.record("\(failure as Any)")
                    return
                }
                #expect(reason.lowercased().contains("reset"))
            }
        }
    }

    @Test func cancellingTheReaderEndsTheTransferWithinASecond() async throws {
        try await ScriptedModelServer.run(replies: [[.streamHead, .body("Well, "), .hang]]) { server in
            try await withClient { client in
                let (started, signal) = AsyncStream.makeStream(of: Void.self)
                let task = Task {
                    let response = client.send(HTTPClientRequest("GET", url: server.baseURL))
                    while try await response.next()?.status != nil { signal.finish() }
                    _ = try await response.next()
                }
                for await _ in started {}
                let start = ContinuousClock.now
                task.cancel()
                await #expect(throws: HTTPClientError.cancelled) { try await task.value }
                await server.waitForDisconnects(1)
                #expect(start.duration(to: .now) < .seconds(1))
            }
        }
    }

    @Test func lettingTheReaderGoEndsTheTransfer() async throws {
        try await ScriptedModelServer.run(replies: [[.streamHead, .hang]]) { server in
            try await withClient { client in
                do {
                    let response = client.send(HTTPClientRequest("GET", url: server.baseURL))
                    _ = try await response.next()
                }
                await server.waitForDisconnects(1)
            }
        }
    }

    @Test func aClientThatIsShutDownEndsWhatRunsAndRefusesTheRest() async throws {
        try await ScriptedModelServer.run(replies: [[.streamHead, .hang]]) { server in
            let client = HTTPClient()
            let response = client.send(HTTPClientRequest("GET", url: server.baseURL))
            _ = try await response.next()
            await client.shutDown()
            await #expect(throws: HTTPClientError.shutDown) { _ = try await response.next() }
            #expect(await fault(of: HTTPClientRequest("GET", url: server.baseURL), by: client) == .shutDown)
            await client.shutDown()
            await server.waitForDisconnects(1)
        }
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

extension HTTPResponsePart {
    /// The status, if this is a head.
    fileprivate var status: Int? {
        guard case .head(let head) = self else { return nil }
        return head.status
    }
}
