import Shared

extension HostileRequests {
    private static let long = String(repeating: "x", count: 40_000)

    /// A token that was never signed, and says so.
    private static let unsigned: String = {
        let claims = #"{"iss":"parley-auth","aud":"parley","sub":"1","user_id":1,"exp":9999999999,"iat":1}"#
        let header = Base64URL.encode(#"{"alg":"none","typ":"at+jwt"}"#.utf8)
        return header + "." + Base64URL.encode(claims.utf8) + "."
    }()

    static let bearers: [HostileRequest] = [
        .get("/api/profile", "no token", { _ in [] }, 401, "missing_token"),
        .get("/api/profile?access_token=x", "a token in the query", { _ in [] }, 401, "missing_token"),
        .get(
            "/api/profile", "two Authorization fields",
            { ["Authorization: Bearer \($0.token)", "Authorization: Bearer \($0.token)"] }, 401, "invalid_token",
            nginx: (400, "invalid_request")),
        .get(
            "/api/profile", "two tokens in one field",
            { ["Authorization: Bearer \($0.token), Bearer \($0.token)"] }, 401, "invalid_token"),
        .get("/api/profile", "an empty token", { _ in ["Authorization: Bearer "] }, 401, "invalid_token"),
        .get("/api/profile", "another scheme", { _ in ["Authorization: Basic YTpi"] }, 401, "invalid_token"),
        .get("/api/profile", "no algorithm", { _ in ["Authorization: Bearer \(unsigned)"] }, 401, "invalid_token"),
        .get(
            "/api/profile", "a token of an hour ago", { ["Authorization: Bearer \($0.expiredToken)"] }, 401,
            "invalid_token"),
        .get(
            "/api/profile", "a token of another secret", { ["Authorization: Bearer \($0.forgedToken)"] }, 401,
            "invalid_token"),
        .get(
            "/api/profile", "a refresh token", { ["Authorization: Bearer \($0.refreshToken)"] }, 401, "invalid_token"),
        .get(
            "/api/profile", "a token of 6,000 bytes", { _ in ["Authorization: Bearer \(long.prefix(6_000))"] }, 401,
            "invalid_token"),
        .get(
            "/api/profile", "a token with its signature cut", { ["Authorization: Bearer \($0.token.dropLast())"] }, 401,
            "invalid_token"),
        .get("/api/profile", "letters that are not ASCII", { _ in ["Authorization: Bearer é"] }, 401, "invalid_token"),
        .get(
            "/api/profile", "a folded field", { ["Authorization: Bearer", " \($0.token)"] }, 400, "invalid_request"),
        .get(
            "/api/profile", "NUL in a field", { _ in ["Authorization: Bearer \u{0}"] }, 400, "invalid_request"),
        .get("/api/profile", "a lone CR in a field", { _ in ["X-A: a\rX-B: b"] }, 400, "invalid_request"),
    ]

    static let ids: [HostileRequest] = [
        .id("0"), .id("-1"), .id("+1"), .id("1.5"), .id("1e3"), .id("0x1"), .id("%20%31"), .id("%D9%A3"),
        .id("9223372036854775808"), .id(String(repeating: "9", count: 1_000)), .id("null"), .id("1;drop"),
        .id("9223372036854775807", 404, "session_not_found"), .id("1'%20or%20'1'='1"),
        .id("%00", nginx: (400, "invalid_request")),
    ]

    private static func message(_ fields: String..., body: String = "", line: String = "POST /login") -> String {
        ([line + " HTTP/1.1", "Host: parley", "Content-Type: application/json"] + fields + ["", body])
            .joined(separator: "\r\n")
    }

    static let http: [HostileRequest] = [
        .raw(
            "length and chunks", message("Content-Length: 4", "Transfer-Encoding: chunked", body: "0\r\n\r\n"), 400,
            "invalid_request"),
        .raw(
            "chunks and length", message("Transfer-Encoding: chunked", "Content-Length: 4", body: "0\r\n\r\n"), 400,
            "invalid_request"),
        .raw(
            "two lengths", message("Content-Length: 2", "Content-Length: 4", body: "{}{}"), 400, "invalid_request"),
        .raw("one length twice", message("Content-Length: 2", "Content-Length: 2", body: "{}"), 400, "invalid_request"),
        .raw("a list of lengths", message("Content-Length: 2, 2", body: "{}"), 400, "invalid_request"),
        .raw("a negative length", message("Content-Length: -2", body: "{}"), 400, "invalid_request"),
        .raw("a length with a sign", message("Content-Length: +2", body: "{}"), 400, "invalid_request"),
        .raw("a length in hexadecimal", message("Content-Length: 0x2", body: "{}"), 400, "invalid_request"),
        .raw(
            "a length of thirty digits", message("Content-Length: \(String(repeating: "9", count: 30))"), 400,
            "invalid_request"),
        .raw(
            "a length of 2 TB", message("Content-Length: 2000000000000", "Connection: close"), 413,
            "payload_too_large"),
        .raw(
            "another coding", message("Transfer-Encoding: gzip, chunked", body: "0\r\n\r\n"), 400, "invalid_request"),
        .raw(
            "a coding that is almost chunked", message("Transfer-Encoding: xchunked", body: "0\r\n\r\n"), 400,
            "invalid_request"),
        .raw(
            "chunked twice",
            message("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body: "0\r\n\r\n"), 400,
            "invalid_request"),
        .raw(
            "chunks in HTTP/1.0",
            "POST /login HTTP/1.0\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "0\r\n\r\n", 400, "invalid_request"),
        .raw(
            "a chunk size that is none", message("Transfer-Encoding: chunked", body: "zz\r\n\r\n"), 400,
            "invalid_request"),
        .raw(
            "a negative chunk size", message("Transfer-Encoding: chunked", body: "-1\r\n{}\r\n"), 400, "invalid_request"
        ),
        .raw(
            "a chunk size beyond 64 bits", message("Transfer-Encoding: chunked", body: "FFFFFFFFFFFFFFFFF\r\n"), 400,
            "invalid_request"),
        .raw("a blank before the colon", message("Content-Length : 2", body: "{}"), 400, "invalid_request"),
        .raw("a field without a name", message(": a"), 400, "invalid_request"),
        .raw("a field without a colon", message("No colon"), 400, "invalid_request"),
        .raw("no Host", "GET /health HTTP/1.1\r\n\r\n", 400, "invalid_request"),
        .raw("two Hosts", "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "invalid_request"),
        .raw("no HTTP at all", "\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n", 400, "invalid_request"),
        .raw("a version of the future", "GET /health HTTP/7.0\r\nHost: a\r\n\r\n", 400, "invalid_request"),
        .raw("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "invalid_request"),
        .raw("HTTP/1.0 without Host", "GET /health HTTP/1.0\r\n\r\n", 200),
        .raw(
            "HTTP/1.0 with a body",
            "POST /login HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", 400, "invalid_body"
        ),
        .raw(
            "200 fields", message((0..<200).map { "X-\($0): a" }.joined(separator: "\r\n"), "Connection: close"), 431,
            "header_too_large"),
        .raw("a field of 40,000 bytes", message("X-Long: \(long)"), 431, "header_too_large"),
        .raw(
            "fields of 60,000 bytes",
            message((0..<12).map { "X-\($0): \(long.prefix(5_000))" }.joined(separator: "\r\n")), 431,
            "header_too_large"),
        .raw("an address of 40,000 bytes", "GET /\(long) HTTP/1.1\r\nHost: a\r\n\r\n", 431, "header_too_large"),
        .raw(
            "another expectation", message("Expect: magic", "Content-Length: 0", "Connection: close"), 417,
            "expectation_failed", nginx: (400, "invalid_json")),
        .raw(
            "a compressed body",
            message("Content-Encoding: gzip", "Content-Length: 2", "Connection: close", body: "{}"),
            415, "content_encoding_not_supported"),
        .raw(
            "another type",
            "POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n"
                + "Connection: close\r\n\r\n<a/>",
            415, "unsupported_media_type"),
        .raw(
            "an unknown method", "BREW /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400,
            "invalid_request"),
        .raw(
            "another method", "PUT /login HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 405,
            "method_not_allowed"),
        .raw(
            "a way out of the root", "GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404,
            "not_found", nginx: (400, "invalid_request")),
        .raw(
            "an upgrade", "GET /health HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: close, Upgrade\r\n\r\n", 200),
    ]
}
