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
                guard case .head? = try await response.next() else { return }
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
        let text = (1...500).map { "\($0) " }
        try await ScriptedModelServer.run(replies: [[.streamHead] + text.map { .body($0) } + [.drop]]) { server in
            try await withClient { client in
                let response = client.send(HTTPClientRequest("GET", url: server.baseURL))
                await server.waitForDisconnects(1)
                var body: [UInt8] = []
                let failure = await #expect(throws: HTTPClientError.self) {
                    while let part = try await response.next() { if case .body(let bytes) = part { body += bytes } }
                }
                #expect(String(decoding: body, as: UTF8.self) == text.joined())
                guard case .failed = failure else {
                    Issue.record("\(failure as Any)")
                    return
                }
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

    @Test func aDeadlineEndsASilentTransferAndALaterOneReplacesIt() async throws {
        try await ScriptedModelServer.run(replies: [[.streamHead, .body("a"), .hang]]) { server in
            try await withClient { client in
                let response = client.send(HTTPClientRequest("GET", url: server.baseURL))
                response.allow(.seconds(3600))
                let parts = [try await response.next(), try await response.next()]
                #expect(parts[1] == .body([UInt8(ascii: "a")]))
                response.allow(.milliseconds(50))
                response.pauseDeadline()
                response.allow(.milliseconds(100))
                await #expect(throws: HTTPClientError.timedOut) { _ = try await response.next() }
                await server.waitForDisconnects(1)
            }
        }
    }

    @Test func connectingHasADeadlineOfItsOwn() async throws {
        try await withFullBacklog { port in
            try await withClient(HTTPClient.Settings(connectTime: .milliseconds(300))) { client in
                let failure = await fault(of: HTTPClientRequest("GET", url: "http://127.0.0.1:\(port)"), by: client)
                // libcurl-errors(3): CURLE_OPERATION_TIMEDOUT
                guard case .failed(28, _) = failure else {
                    Issue.record("\(failure as Any)")
                    return
                }
            }
        }
    }

    @Test func transfersBeyondTheirNumberWaitForAPlaceAndAreRefusedInTime() async throws {
        let settings = HTTPClient.Settings(connectTime: .milliseconds(300), concurrency: 1)
        let script: ScriptedModelServer.Script = { index, _ in index == 0 ? [.streamHead, .wait] : [.streamHead] }
        try await ScriptedModelServer.run(script) { server in
            try await withClient(settings) { client in
                let first = client.send(HTTPClientRequest("GET", url: server.baseURL))
                _ = try await first.next()
                #expect(await fault(of: HTTPClientRequest("GET", url: server.baseURL), by: client) == .busy)
                let second = client.send(HTTPClientRequest("GET", url: server.baseURL))
                server.release()
                let end = try await first.next()
                #expect(end == nil)
                #expect(try await WholeResponse(second).head.status == 200)
                #expect(server.connectionsOpened == 1)
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

    /// Runs `body` with a port that takes no further connection: nobody accepts, and its queue is full (listen(2)).
    private func withFullBacklog(_ body: (Int) async throws -> Void) async throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutableBytes(of: &address) { bytes in
            let pointer = try #require(bytes.baseAddress).assumingMemoryBound(to: sockaddr.self)
            #expect(bind(listener, pointer, length) == 0 && listen(listener, 0) == 0)
            #expect(getsockname(listener, pointer, &length) == 0)
        }
        // The queue holds one more than its size; the kernel drops what asks beyond it.
        let fillers = (0..<4).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK, 0) }
        defer { for filler in fillers { close(filler) } }
        for filler in fillers {
            _ = withUnsafeBytes(of: &address) { bytes in
                bytes.baseAddress.map { connect(filler, $0.assumingMemoryBound(to: sockaddr.self), length) }
            }
        }
        try await body(Int(UInt16(bigEndian: address.sin_port)))
    }
}

extension HTTPResponsePart {
    /// The status, if this is a head.
    fileprivate var status: Int? {
        guard case .head(let head) = self else { return nil }
        return head.status
    }
}
