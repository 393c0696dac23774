import CurlHTTP
import Foundation
import TestSupport
import Testing

@Suite("HTTP client: deadlines, and transfers that wait for a place", .timeLimit(.minutes(2)))
struct DeadlineTests {
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
                #expect(failure?.code == 28, "\(failure as Any)")
            }
        }
    }

    @Test func aTransferBeyondTheirNumberWaitsForAPlace() async throws {
        let settings = HTTPClient.Settings(connectTime: .seconds(60), concurrency: 1)
        let script: ScriptedModelServer.Script = { index, _ in index == 0 ? [.streamHead, .wait] : [.streamHead] }
        try await ScriptedModelServer.run(script) { server in
            try await withClient(settings) { client in
                let first = client.send(HTTPClientRequest("GET", url: server.baseURL))
                _ = try await first.next()
                let second = client.send(HTTPClientRequest("GET", url: server.baseURL))
                server.release()
                let end = try await first.next()
                #expect(end == nil)
                #expect(try await WholeResponse(second).head.status == 200)
                #expect(server.connectionsOpened == 1)
            }
        }
    }

    /// Of a burst, too: more than may run are asked for before the first has begun.
    @Test func whoGetsNoPlaceInTimeIsRefusedAndWhoIsBeyondTheQueueAtOnce() async throws {
        let settings = HTTPClient.Settings(connectTime: .milliseconds(300), concurrency: 2)
        try await ScriptedModelServer.run(replies: [[.streamHead, .hang]]) { server in
            try await withClient(settings) { client in
                let request = HTTPClientRequest("GET", url: server.baseURL)
                let faults = await withTaskGroup(of: HTTPClientError?.self) { group in
                    for _ in 0..<20 { group.addTask { await fault(of: request, by: client) } }
                    var faults: [HTTPClientError?] = []
                    while faults.count < 18, let next = await group.next() { faults.append(next) }
                    group.cancelAll()
                    return faults
                }
                #expect(faults == Array(repeating: .busy, count: 18))
                #expect(server.connectionsOpened == 2)
            }
        }
    }

    @Test func aDeadlineCountsBeforeTheFirstByteAndWhileATransferWaitsForAPlace() async throws {
        let settings = HTTPClient.Settings(connectTime: .seconds(60), concurrency: 1)
        try await ScriptedModelServer.run(replies: [[.hang]]) { server in
            try await withClient(settings) { client in
                let silent = client.send(HTTPClientRequest("GET", url: server.baseURL))
                let waiting = client.send(HTTPClientRequest("GET", url: server.baseURL))
                waiting.allow(.milliseconds(50))
                await #expect(throws: HTTPClientError.timedOut) { _ = try await waiting.next() }
                silent.allow(.milliseconds(50))
                await #expect(throws: HTTPClientError.timedOut) { _ = try await silent.next() }
                await server.waitForDisconnects(1)
            }
        }
    }

    /// The reader takes the deadline away before the loop has looked at it.
    @Test func aDeadlineThatIsTakenAwayAtOnceEndsNothing() async throws {
        try await ScriptedModelServer.run(replies: [[.streamHead, .body("a"), .wait, .body("b")]]) { server in
            try await withClient { client in
                let response = client.send(HTTPClientRequest("GET", url: server.baseURL))
                let parts = [try await response.next(), try await response.next()]
                #expect(parts[1] == .body([UInt8(ascii: "a")]))
                for time in (1...50).reversed() {
                    response.allow(.seconds(60 * time))
                    response.pauseDeadline()
                }
                server.release()
                let next = try await response.next()
                #expect(next == .body([UInt8(ascii: "b")]))
            }
        }
    }

    @Test func aClientThatIsLetGoLivesAsLongAsItsResponse() async throws {
        try await ScriptedModelServer.run(replies: [[.streamHead, .body("a")]]) { server in
            let response = HTTPClient().send(HTTPClientRequest("GET", url: server.baseURL))
            let whole = try await WholeResponse(response)
            #expect(whole.text == "a")
            await server.waitForDisconnects(1)
        }
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
