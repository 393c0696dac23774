import HTTPTypes
import Hummingbird
import NIOCore
import Shared
import TestSupport
import Testing

/// The server on a real socket, against clients that do not behave.
@Suite("Connections")
struct ConnectionTests {
    private func withServer(
        limits: HTTPLimits = HTTPLimits(), settings: HTTPSettings = HTTPSettings(),
        _ body: @Sendable @escaping (FrameFixture, Int) async throws -> Void
    ) async throws {
        let fixture = FrameFixture(settings: settings, limits: limits)
        try await fixture.application.test(.live) { client in try await body(fixture, try #require(client.port)) }
    }

    private static let get = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test("answers pipelined requests in order and keeps the connection")
    func pipelined() async throws {
        try await withServer { _, port in
            try await RawConnection.open(port: port) { connection in
                try await connection.send(Self.get + "GET /items/5 HTTP/1.1\r\nHost: x\r\n\r\n" + Self.get)
                #expect(try await connection.receive(through: #"{"hello":"world"}"#).contains("200 OK"))
                #expect(try await connection.receive(through: #"{"id":5}"#).contains("200 OK"))
                let third = try await connection.receive(through: #"{"hello":"world"}"#)
                #expect(!third.lowercased().contains("connection: close"))
                try await connection.send(Self.get)
                #expect(try await connection.receive(through: #"{"hello":"world"}"#).contains("200 OK"))
            }
        }
    }

    @Test(
        "closes for a client that asks for it, in whatever spelling, and for HTTP/1.0",
        arguments: [
            "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: TE, Close\r\n\r\n", "GET /hello HTTP/1.0\r\n\r\n",
            "GET /stream HTTP/1.0\r\n\r\n",
        ])
    func closes(request: String) async throws {
        try await withServer { _, port in
            try await RawConnection.open(port: port) { connection in
                try await connection.send(request)
                let answer = try await connection.receiveAll()
                #expect(connection.isEnded)
                #expect(answer.contains(" 200 OK") && answer.lowercased().contains("connection: close"))
                #expect(!answer.lowercased().contains("chunked"))
            }
        }
    }

    @Test("keeps an HTTP/1.0 connection that asks for it")
    func oldKeepAlive() async throws {
        try await withServer { _, port in
            try await RawConnection.open(port: port) { connection in
                for _ in 0..<2 {
                    try await connection.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                    let answer = try await connection.receive(through: #"{"hello":"world"}"#)
                    #expect(answer.lowercased().contains("connection: keep-alive"))
                }
            }
        }
    }

    @Test(
        "refuses what two servers could read in two ways, with a problem, and closes",
        arguments: [
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
            "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "GET /hello HTTP/1.1\r\n\r\n", "GET /hello HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
            "GET http://x/hello HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n", "GET /hello HTTP/1.1\r\nHost: x\r\nA\0b: c\r\n\r\n",
            "GET /hello\r\n\r\n", "nonsense\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\0\r\n\r\n",
            "GET /hello HTTP/3.7\r\nHost: x\r\n\r\n",
        ])
    func ambiguous(request: String) async throws {
        try await withServer { _, port in
            try await RawConnection.open(port: port) { connection in
                try await connection.send(request + "GET /hello HTTP/1.1\r\nHost: smuggled\r\n\r\n")
                let answer = try await connection.receiveAll()
                #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
                #expect(
                    answer.contains(#""code":"invalid_request""#) && answer.lowercased().contains("connection: close"))
                #expect(!answer.contains("world"))
            }
        }
    }

    @Test("answers the good request before it refuses the bad one that follows in the same packet")
    func goodThenBad() async throws {
        try await withServer { _, port in
            try await RawConnection.open(port: port) { connection in
                try await connection.send(Self.get + "nonsense\r\n\r\n")
                let answer = try await connection.receiveAll()
                let good = try #require(answer.range(of: "world"))
                let bad = try #require(answer.range(of: "invalid_request"))
                #expect(good.upperBound < bad.lowerBound)
            }
        }
    }

    @Test(
        "bounds the header, in one field, in all, and in number",
        arguments: [
            "A: " + String(repeating: "a", count: 17_000) + "\r\n",
            (0..<4).map { "A\($0): " + String(repeating: "a", count: 9_000) + "\r\n" }.joined(),
            (0..<200).map { "A\($0): a\r\n" }.joined(),
        ])
    func largeHeader(fields: String) async throws {
        try await withServer { _, port in
            try await RawConnection.open(port: port) { connection in
                try await connection.send("GET /hello HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n")
                let answer = try await connection.receiveAll()
                #expect(answer.hasPrefix("HTTP/1.1 431 "), "\(answer)")
                #expect(answer.contains(#""code":"header_too_large""#))
            }
        }
    }

    @Test("refuses a header that never ends")
    func slowHeader() async throws {
        var limits = HTTPLimits()
        limits.headerSeconds = 1
        try await withServer(limits: limits) { _, port in
            try await RawConnection.open(port: port) { connection in
                try await connection.send("GET /hello HTTP/1.1\r\nHost: x\r\nA: ")
                let answer = try await connection.receiveAll()
                #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains(#""code":"request_timeout""#))
            }
        }
    }

    @Test("refuses a body that never ends")
    func slowBody() async throws {
        var limits = HTTPLimits()
        limits.bodySeconds = 1
        try await withServer(limits: limits) { _, port in
            try await RawConnection.open(port: port) { connection in
                try await connection.send(Self.post(length: "100") + "{")
                let answer = try await connection.receiveAll()
                #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains(#""code":"request_timeout""#), "\(answer)")
                #expect(answer.lowercased().contains("connection: close"))
            }
        }
    }

    @Test("closes a connection that is silent")
    func silent() async throws {
        var limits = HTTPLimits()
        limits.idleSeconds = 1
        try await withServer(limits: limits) { _, port in
            try await RawConnection.open(port: port) { connection in
                let answer = try await connection.receiveAll()
                #expect(answer.isEmpty)
                #expect(connection.isEnded)
            }
        }
    }

    @Test("says 413 from the length alone, before any of the body, and closes")
    func tooLargeByLength() async throws {
        try await withServer { _, port in
            try await RawConnection.open(port: port) { connection in
                try await connection.send(Self.post(length: "50000000"))
                let answer = try await connection.receiveAll()
                #expect(answer.hasPrefix("HTTP/1.1 413 ") && answer.contains(#""code":"payload_too_large""#))
                #expect(answer.lowercased().contains("connection: close"))
            }
        }
    }

    /// The body's timer is set when the connection begins to linger; the earlier deadline must win.
    @Test("a client that goes on sending after a refusal is cut off long before its body's time is over")
    func refusedSender() async throws {
        var limits = HTTPLimits()
        limits.bodySeconds = 600
        try await withServer(limits: limits) { _, port in
            try await RawConnection.open(port: port) { connection in
                let chunk = "400\r\n" + String(repeating: " ", count: 1024) + "\r\n"
                let fields = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                try await connection.send("POST /echo HTTP/1.1\r\nHost: x\r\n" + fields)
                try await connection.send(chunk)
                #expect(try await connection.receiveAll().hasPrefix("HTTP/1.1 413 "))
                let (sender, limit) = (connection, ContinuousClock.now + .seconds(60))
                var isCutOff = false
                while !isCutOff, ContinuousClock.now < limit {
                    do { try await sender.send(chunk) } catch { isCutOff = true }
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(isCutOff)
            }
        }
    }

    @Test("says 413 while chunks come in, without waiting for their end")
    func tooLargeByChunks() async throws {
        try await withServer { _, port in
            try await RawConnection.open(port: port) { connection in
                let chunk = "400\r\n" + String(repeating: " ", count: 1024) + "\r\n"
                let fields = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                try await connection.send("POST /echo HTTP/1.1\r\nHost: x\r\n" + fields + chunk)
                let answer = try await connection.receiveAll()
                #expect(answer.hasPrefix("HTTP/1.1 413 "), "\(answer)")
            }
        }
    }

    @Test("a chunk that is none fails the body with 400")
    func badChunk() async throws {
        try await withServer { _, port in
            try await RawConnection.open(port: port) { connection in
                let fields = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                try await connection.send("POST /echo HTTP/1.1\r\nHost: x\r\n" + fields + "zz\r\n")
                let answer = try await connection.receiveAll()
                #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains(#""code":"invalid_request""#), "\(answer)")
            }
        }
    }

    @Test("tells a client that waits for it to go on, unless the body will not be wanted")
    func expectation() async throws {
        try await withServer { _, port in
            try await RawConnection.open(port: port) { connection in
                try await connection.send(Self.post(length: "12", "Expect: 100-continue\r\n"))
                #expect(try await connection.receive(through: "\r\n\r\n").hasPrefix("HTTP/1.1 100 "))
                try await connection.send(#"{"text":"x"}"#)
                #expect(try await connection.receive(through: #"{"text":"x"}"#).contains("201 Created"))
                try await connection.send(Self.post(length: "1001", "Expect: 100-continue\r\n"))
                #expect(try await connection.receiveAll().hasPrefix("HTTP/1.1 413 "))
            }
            try await RawConnection.open(port: port) { connection in
                try await connection.send(Self.post(length: "12", "Expect: the-worst\r\n") + #"{"text":"x"}"#)
                #expect(try await connection.receive(through: "}").contains(" 417 "))
            }
        }
    }

    @Test("believes X-Forwarded-For of a trusted proxy only", arguments: [true, false])
    func forwarded(isTrusted: Bool) async throws {
        let blocks = (isTrusted ? ["127.0.0.1/32", "::1"] : ["10.0.0.0/8"]).compactMap { AddressBlock($0) }
        try await withServer(settings: HTTPSettings(trustedProxies: blocks)) { _, port in
            try await RawConnection.open(port: port) { connection in
                let fields = "X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nConnection: close\r\n\r\n"
                try await connection.send("GET /address HTTP/1.1\r\nHost: x\r\n" + fields)
                let answer = try await connection.receiveAll()
                #expect(answer.hasSuffix("\r\n\r\n203.0.113.9") == isTrusted, "\(answer)")
                #expect(!answer.contains("6.6.6.6"))
            }
        }
    }

    private static func post(length: String, _ fields: String = "") -> String {
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: \(length)\r\n\(fields)\r\n"
    }
}
