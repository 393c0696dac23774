import CurlHTTP
import TestSupport
import Testing

@Suite("HTTP client: requests and responses", .timeLimit(.minutes(2)))
struct HTTPClientTests {
    @Test func aRequestArrivesAsItWasGivenAndItsResponseIsReadWhole() async throws {
        let reply: [ScriptedModelServer.Step] = [
            .head(201, ["X-Thing": " a b ", "Empty": ""]), .body("Good "), .body("day"),
        ]
        try await ScriptedModelServer.run(replies: [reply]) { server in
            let fields = [HTTPField("X-Key", "k"), HTTPField("X-None", "")]
            let request = HTTPClientRequest(
                "PATCH", url: server.baseURL + "/things?q=1", fields: fields, body: Array("hello".utf8))
            let response = try await withClient { try await WholeResponse($0.send(request)) }
            #expect(response.head.status == 201)
            #expect(response.head.first("x-thing") == "a b" && response.head.first("EMPTY") == "")
            #expect(response.text == "Good day")
            let seen = try #require(server.requests.first)
            #expect(seen.method == "PATCH" && seen.path == "/v1/things?q=1" && seen.body == "hello")
            #expect(seen.headers["x-key"] == "k" && seen.headers["x-none"] == "")
            #expect(seen.headers["content-length"] == "5")
            #expect(seen.headers["content-type"] == nil && seen.headers["expect"] == nil)
        }
    }

    @Test(arguments: [("GET", String?.none), ("DELETE", nil), ("POST", "0"), ("PUT", "0")])
    func onlyAMethodThatExpectsABodySaysThatItIsEmpty(method: String, length: String?) async throws {
        try await ScriptedModelServer.run(replies: [[.head(204)]]) { server in
            let request = HTTPClientRequest(method, url: server.baseURL)
            let response = try await withClient { try await WholeResponse($0.send(request)) }
            #expect(response.head.status == 204)
            #expect(server.requests.map(\.method) == [method])
            #expect(server.requests.first?.headers["content-length"] == length)
        }
    }

    @Test func aBodyOfManyMegabytesIsSentWhole() async throws {
        try await ScriptedModelServer.run(replies: [[.head(200)]]) { server in
            let body = [UInt8](repeating: UInt8(ascii: "x"), count: 5 << 20)
            _ = try await withClient {
                try await WholeResponse($0.send(HTTPClientRequest("POST", url: server.baseURL, body: body)))
            }
            #expect(server.requests.first?.body.utf8.count == body.count)
        }
    }

    @Test func aRedirectIsNotFollowed() async throws {
        try await ScriptedModelServer.run(replies: [[.head(307, ["Location": "/elsewhere"])]]) { server in
            let response = try await withClient {
                try await WholeResponse($0.send(HTTPClientRequest("GET", url: server.baseURL)))
            }
            #expect(response.head.status == 307 && server.requests.count == 1)
        }
    }

    @Test func responsesBefore200AreSkippedAndTrailersAreNotFields() async throws {
        let bytes =
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3\r\nabc\r\n0\r\nX-Later: 1\r\n\r\n"
        let response = try await RawServer.run(bytes) { server in
            try await withClient { try await WholeResponse($0.send(HTTPClientRequest("GET", url: server.url))) }
        }
        #expect(response.head.status == 200 && response.text == "abc")
        #expect(response.head.first("Link") == nil && response.head.first("X-Later") == nil)
    }

    /// Bytes that are no whole response.
    enum BrokenResponse: CaseIterable {
        case otherProtocol, cutBody, badChunk, cutHead, cutHeadOfLength, nothing, longLine, manyLines

        var bytes: String {
            let head = "HTTP/1.1 200 OK\r\n"
            return switch self {
            case .otherProtocol: "SSH-2.0-OpenSSH_9.2\r\n"
            case .cutBody: head + "Content-Length: 10\r\n\r\nabc"
            case .badChunk: head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"
            case .cutHead: head + "Server: none\r\n"
            case .cutHeadOfLength: head + "Content-Length: 10\r\n"
            case .nothing: ""
            case .longLine: head + "X: " + String(repeating: "x", count: 1 << 20) + end
            case .manyLines:
                head + String(repeating: "X: \(String(repeating: "x", count: 1000))\r\n", count: 100) + end
            }
        }

        private var end: String { "\r\nContent-Length: 3\r\n\r\nabc" }

        /// libcurl-errors(3). A head that goes on after 64 KiB is not taken, which libcurl calls a write error.
        var codes: Set<Int> {
            switch self {
            case .otherProtocol: [1]
            case .cutBody, .cutHeadOfLength: [18]
            case .badChunk: [56]
            case .cutHead, .nothing: [52]
            case .longLine: [23, 27, 56, 100]
            case .manyLines: [23]
            }
        }
    }

    @Test(arguments: BrokenResponse.allCases)
    func aBrokenResponseIsAnError(response: BrokenResponse) async throws {
        let failure = try await RawServer.run(response.bytes) { server in
            try await withClient { await fault(of: HTTPClientRequest("GET", url: server.url), by: $0) }
        }
        let code = try #require(failure?.code, "\(failure as Any)")
        #expect(response.codes.contains(code), "\(failure as Any)")
    }

    @Test(arguments: [
        HTTPClientRequest("GET", url: "http://127.0.0.1:9/\r\nX: 1"),
        HTTPClientRequest("G\nET", url: "http://127.0.0.1:9"),
        HTTPClientRequest("GET", url: "http://127.0.0.1:9", fields: [HTTPField("A", "b\r\nC: d")]),
        HTTPClientRequest("GET", url: "http://127.0.0.1:9", fields: [HTTPField("A: b", "c")]),
        HTTPClientRequest("GET", url: "http://127.0.0.1:9", fields: [HTTPField("A", "b\0c")]),
    ])
    func aRequestThatCouldSmuggleALineIsNotSent(request: HTTPClientRequest) async throws {
        #expect(try await withClient { await fault(of: request, by: $0) } == .invalidRequest)
    }

    /// libcurl-errors(3): 1 is a protocol that is not spoken, 3 a malformed URL.
    @Test(arguments: [
        ("file:///etc/hostname", 1), ("ftp://127.0.0.1/", 1), ("gopher://127.0.0.1/", 1), ("http://a b/", 3), ("", 3),
    ])
    func onlyHTTPIsSpoken(url: String, code: Int) async throws {
        let failure = try await withClient { await fault(of: HTTPClientRequest("GET", url: url), by: $0) }
        #expect(failure?.code == code, "\(failure as Any)")
    }

    /// The server reads the second request and closes: libcurl would repeat it unasked on a connection that was used.
    @Test func aRequestIsNeverSentTwice() async throws {
        let script: ScriptedModelServer.Script = { index, _ in index == 0 ? [.head(200)] : [.drop] }
        try await ScriptedModelServer.run(script) { server in
            try await withClient { client in
                let request = HTTPClientRequest("POST", url: server.baseURL, body: Array("once".utf8))
                let first = try await WholeResponse(client.send(request))
                #expect(first.head.status == 200)
                #expect(await fault(of: request, by: client)?.code != nil)
                #expect(server.connectionsOpened <= 2 && server.requests.count == 2)
            }
        }
    }
}
