import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Shared
import TestSupport
import Testing

@Suite("HTTP frame")
struct FrameTests {
    private func problem(_ response: TestResponse) throws -> (code: String?, status: Int?, requestID: String?) {
        #expect(response.headers[.contentType] == "application/problem+json")
        let object = try JSONSerialization.jsonObject(with: Data(response.body.readableBytesView)) as? [String: Any]
        return (object?["code"] as? String, object?["status"] as? Int, object?["request_id"] as? String)
    }

    @Test("gives every answer an id, takes over a good one and replaces a bad one")
    func requestIDs() async throws {
        let fixture = FrameFixture()
        try await fixture.application.test(.router) { client in
            let made = try await client.execute(uri: "/hello", method: .get)
            #expect((made.headers[.requestID]?.count ?? 0) > 16)
            let good = try await client.execute(uri: "/hello", method: .get, headers: [.requestID: "my-id_1.2"])
            #expect(good.headers[.requestID] == "my-id_1.2")
            for bad in [String(repeating: "a", count: 65), "a b", "\"", "a/b", "\u{E9}"] {
                let answer = try await client.execute(uri: "/nothing", method: .get, headers: [.requestID: bad])
                let id = try #require(answer.headers[.requestID])
                #expect(id != bad)
                #expect(try problem(answer).requestID == id)
            }
        }
    }

    @Test("tells an unknown path from an unknown method, and says which methods there are")
    func paths() async throws {
        try await FrameFixture().application.test(.router) { client in
            #expect(try problem(await client.execute(uri: "/nothing", method: .get)).code == "not_found")
            #expect(try problem(await client.execute(uri: "/items", method: .get)).code == "not_found")
            let wrong = try await client.execute(uri: "/items/5?x=1", method: .delete)
            #expect(wrong.status == .methodNotAllowed)
            #expect(wrong.headers[.allow] == "GET, HEAD, OPTIONS")
            #expect(try problem(wrong).code == "method_not_allowed")
            let post = try await client.execute(uri: "/echo", method: .get)
            #expect(post.headers[.allow] == "OPTIONS, POST")
            let options = try await client.execute(uri: "/echo", method: .options)
            #expect(options.status == .noContent && options.headers[.allow] == "OPTIONS, POST")
            #expect(try problem(await client.execute(uri: "/nothing", method: .options)).code == "not_found")
        }
    }

    @Test("HEAD is GET without the body")
    func head() async throws {
        try await FrameFixture().application.test(.router) { client in
            let head = try await client.execute(uri: "/hello", method: .head)
            #expect(head.status == .ok && head.body.readableBytes == 0)
            #expect(head.headers[.contentLength] == "17")
        }
    }

    @Test(
        "a path id is a positive 64-bit integer in plain digits",
        arguments: [
            "0", "-1", "+1", "1.0", "0x1", "9223372036854775808", "abc", "%31", "1%20", "\u{661}",
        ])
    func badIDs(id: String) async throws {
        let path =
            id.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "%+-."))) ?? id
        try await FrameFixture().application.test(.router) { client in
            let answer = try await client.execute(uri: "/items/\(path)", method: .get)
            #expect(answer.status == .badRequest)
            #expect(try problem(answer).code == "invalid_id")
        }
    }

    @Test("a problem keeps its Retry-After; a bug is a fixed sentence, with its cause in the log only")
    func errors() async throws {
        let fixture = FrameFixture()
        try await fixture.application.test(.router) { client in
            let problem = try await client.execute(uri: "/problem", method: .get)
            #expect(problem.status == .tooManyRequests && problem.headers[.retryAfter] == "9")
            let bug = try await client.execute(uri: "/bug", method: .get, headers: [.requestID: "bug-1"])
            #expect(bug.status == .internalServerError)
            #expect(!String(buffer: bug.body).contains("hunter2"))
        }
        let cause = try #require(fixture.lines.all.first { $0.contains("hunter2") })
        #expect(cause.contains("\"request_id\":\"bug-1\"") && cause.contains("\"level\":\"error\""))
    }

    @Test(
        "an outage of the database is 503, a refused statement is 500, neither shows SQL",
        arguments: [
            (PostgresError.Kind.connection, nil, 503), (.poolExhausted, nil, 503), (.timeout, nil, 503),
            (.closed, nil, 503),
            (.server, "57P01", 503), (.server, "53300", 503), (.server, "53100", 503), (.server, "08006", 503),
            (.server, "40001", 503), (.server, "40P01", 503), (.server, "57014", 503), (.server, "42P01", 500),
            (.server, "23505", 500), (.decoding, nil, 500), (.cancelled, nil, 503),
        ] as [(PostgresError.Kind, String?, Int)]
    )
    func databaseErrors(kind: PostgresError.Kind, sqlState: String?, status: Int) async throws {
        var error = PostgresError(kind, "relation hunter2")
        error.sqlState = sqlState
        let thrown = error
        try await FrameFixture(throwing: thrown).application.test(.router) { client in
            let answer = try await client.execute(uri: "/thrown", method: .get)
            #expect(answer.status.code == status)
            #expect((answer.headers[.retryAfter] != nil) == (status == 503))
            let body = String(buffer: answer.body)
            #expect(!body.contains("hunter2"))
            #expect(body.contains(#""code":"draining""#) == (kind == .cancelled))
        }
    }

    @Test("every answer has nosniff and varies with the origin")
    func securityHeaders() async throws {
        try await FrameFixture().application.test(.router) { client in
            for uri in ["/hello", "/nothing", "/bug", "/health", "/metrics", "/me"] {
                let answer = try await client.execute(uri: uri, method: .get)
                #expect(answer.headers[.xContentTypeOptions] == "nosniff", "\(uri)")
                #expect(answer.headers[.vary] == "Origin", "\(uri)")
            }
        }
    }

    @Test("lets in the listed origins and no other")
    func crossOrigin() async throws {
        try await FrameFixture().application.test(.router) { client in
            let good: HTTPFields = [.origin: "http://localhost:3000", .accessControlRequestMethod: "POST"]
            let preflight = try await client.execute(uri: "/echo", method: .options, headers: good)
            #expect(preflight.status == .noContent)
            #expect(preflight.headers[.accessControlAllowOrigin] == "http://localhost:3000")
            #expect(preflight.headers[.accessControlAllowMethods]?.contains("PATCH") == true)
            for name in [
                "Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "If-None-Match", "Prefer",
            ] {
                #expect(preflight.headers[.accessControlAllowHeaders]?.contains(name) == true, "\(name)")
            }
            let simple = try await client.execute(
                uri: "/nothing", method: .get, headers: [.origin: "http://localhost:3000"])
            #expect(simple.headers[.accessControlAllowOrigin] == "http://localhost:3000")
            #expect(simple.headers[.accessControlExposeHeaders] == "ETag, Location, Retry-After, X-Request-Id")
            #expect(simple.headers[.accessControlAllowCredentials] == nil)
            for origin in [
                "http://evil.example", "null", "http://localhost:3000.evil.example", "http://localhost:30000",
            ] {
                let fields: HTTPFields = [.origin: origin, .accessControlRequestMethod: "POST"]
                let answer = try await client.execute(uri: "/echo", method: .options, headers: fields)
                #expect(
                    answer.headers[.accessControlAllowOrigin] == nil
                        && answer.headers[.accessControlAllowMethods] == nil)
            }
        }
    }

    @Test(
        "holds bodies to their rules",
        arguments: [
            (["application/json"], nil, #"{"text":"x"}"#, 201, nil),
            (["application/x-www-form-urlencoded"], nil, "text=x", 201, nil),
            (["application/json"], nil, #"{"text":1}"#, 400, "invalid_body"),
            (["application/json"], nil, "{}", 400, "invalid_body"),
            (["application/json"], nil, "", 400, "invalid_json"),
            (["application/json"], nil, #"{"text":"a","text":"b"}"#, 400, "invalid_json"),
            (["application/x-www-form-urlencoded"], nil, "text=%", 400, "invalid_form"),
            ([], nil, "{}", 415, "unsupported_media_type"), (["text/plain"], nil, "{}", 415, "unsupported_media_type"),
            (["application/json", "text/plain"], nil, "{}", 415, "unsupported_media_type"),
            (["application/json"], "gzip", "{}", 415, "content_encoding_not_supported"),
            (["application/json"], "identity", "{}", 415, "content_encoding_not_supported"),
            (["application/json"], nil, String(repeating: " ", count: 1001), 413, "payload_too_large"),
        ] as [([String], String?, String, Int, String?)])
    func bodies(types: [String], encoding: String?, body: String, status: Int, code: String?) async throws {
        var headers: HTTPFields = [:]
        for type in types { headers.append(HTTPField(name: .contentType, value: type)) }
        headers[.contentEncoding] = encoding
        let fields = headers
        try await FrameFixture().application.test(.router) { client in
            let answer = try await client.execute(
                uri: "/echo", method: .post, headers: fields, body: ByteBuffer(string: body))
            #expect(answer.status.code == status)
            if let code { #expect(try problem(answer).code == code) }
        }
    }

    @Test("a route that needs a user is closed without a good token, and says so in one way")
    func authentication() async throws {
        let fixture = FrameFixture()
        let session = UUID()
        let good = fixture.token(session: session)
        try await fixture.application.test(.router) { client in
            let fine = try await client.execute(uri: "/me", method: .get, headers: [.authorization: "bearer \(good)"])
            #expect(String(buffer: fine.body) == "7")
            let bad = [
                "", "Bearer", "Bearer ", "Basic \(good)", "Bearer x\(good)", "Bearer \(good) x", good,
                "Bearer \(fixture.token(lifetimeSeconds: -60))",
            ]
            for value in bad {
                let answer = try await client.execute(uri: "/me", method: .get, headers: [.authorization: value])
                #expect(answer.status == .unauthorized, "\(value)")
                #expect(answer.headers[.wwwAuthenticate] == #"Bearer error="invalid_token""#)
                #expect(try problem(answer).code == "invalid_token")
            }
            var twice: HTTPFields = [:]
            for _ in 0..<2 { twice.append(HTTPField(name: .authorization, value: "Bearer \(good)")) }
            #expect(try await client.execute(uri: "/me", method: .get, headers: twice).status == .unauthorized)
            #expect(try problem(await client.execute(uri: "/me", method: .get)).code == "missing_token")
            fixture.revoked.revoke(session, expiresAt: .max)
            let ended = try await client.execute(uri: "/me", method: .get, headers: [.authorization: "Bearer \(good)"])
            #expect(ended.status == .unauthorized)
        }
    }

    @Test("an ETag saves the body when the client has it")
    func conditional() async throws {
        try await FrameFixture().application.test(.router) { client in
            let first = try await client.execute(uri: "/tagged", method: .get)
            let tag = try #require(first.headers[.eTag])
            #expect(first.headers[.cacheControl] == "no-store")
            let second = try await client.execute(uri: "/tagged", method: .get, headers: [.ifNoneMatch: "W/\(tag)"])
            #expect(second.status == .notModified && second.body.readableBytes == 0 && second.headers[.eTag] == tag)
            let other = try await client.execute(uri: "/tagged", method: .get, headers: [.ifNoneMatch: "\"x\""])
            #expect(other.status == .ok)
        }
    }

    @Test("readyz has one line a check and is 503 when one of them is not well")
    func readiness() async throws {
        let checks = [ReadinessCheck("database") { nil }, ReadinessCheck("migrations") { "2 missing" }]
        try await FrameFixture(checks: checks).application.test(.router) { client in
            let answer = try await client.execute(uri: "/readyz", method: .get)
            #expect(answer.status == .serviceUnavailable)
            #expect(String(buffer: answer.body) == "database: ok\nmigrations: 2 missing\n")
            #expect(answer.headers[.retryAfter] != nil)
            #expect(try await client.execute(uri: "/livez", method: .get).status == .ok)
            let health = try await client.execute(uri: "/health", method: .get)
            #expect(String(buffer: health.body) == #"{"status":"ok"}"#)
        }
        try await FrameFixture(checks: [ReadinessCheck("database") { nil }]).application.test(.router) { client in
            let answer = try await client.execute(uri: "/readyz", method: .get)
            #expect(answer.status == .ok)
        }
    }

    @Test("counts requests by template, method and status; made-up methods and paths share a label")
    func metrics() async throws {
        try await FrameFixture().application.test(.router) { client in
            for id in 1...3 { _ = try await client.execute(uri: "/items/\(id)", method: .get) }
            _ = try await client.execute(uri: "/made/up/\(UUID())", method: .get)
            _ = try await client.execute(uri: "/hello", method: try #require(.init("BREW")))
            let answer = try await client.execute(uri: "/metrics", method: .get)
            #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            let text = String(buffer: answer.body)
            #expect(text.contains(#"http_requests_total{method="GET",route="/items/{id}",status="200"} 3"#))
            #expect(text.contains(#"http_requests_total{method="GET",route="unmatched",status="404"} 1"#))
            #expect(text.contains(#"http_requests_total{method="OTHER",route="unmatched",status="405"} 1"#))
            #expect(text.contains(#"http_request_duration_seconds_count{method="GET",route="/items/{id}"} 3"#))
            #expect(text.contains("http_requests_in_flight 1"))
        }
    }

    @Test("logs one line a request, without query, token or body")
    func requestLog() async throws {
        let fixture = FrameFixture(level: .trace)
        let token = fixture.token()
        try await fixture.application.test(.router) { client in
            let headers: HTTPFields = [.authorization: "Bearer \(token)", .requestID: "r-7"]
            _ = try await client.execute(uri: "/me?access_token=hunter2", method: .get, headers: headers)
            _ = try await client.execute(uri: "/stream", method: .get)
            _ = try await client.execute(
                uri: "/echo", method: .post, headers: [.contentType: "application/json"],
                body: ByteBuffer(string: "hunter2")
            )
        }
        let lines = fixture.lines.all.filter { $0.contains("\"message\":\"request\"") }
        #expect(lines.count == 3)
        #expect(lines[0].contains(#""request_id":"r-7","method":"GET","route":"/me","status":200,"ms":"#))
        #expect(lines[0].contains(#""bytes":1,"user_id":7}"#))
        #expect(lines[1].contains(#""bytes":12}"#))
        #expect(lines[2].contains(#""code":"invalid_json"}"#))
        for line in fixture.lines.all {
            #expect(!line.contains("hunter2") && !line.contains(token) && !line.contains(token.suffix(20)))
        }
    }
}
