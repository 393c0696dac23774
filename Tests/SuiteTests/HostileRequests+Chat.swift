import Foundation

extension HostileRequest {
    /// A row of ChatService, sent by a signed-in user; `{conversation}` and `{message}` stand for ids of theirs.
    /// - Parameters:
    ///   - line: the first line but for its version.
    ///   - body: nil: none.
    static func chat(
        _ line: String, _ name: String, fields: [String] = [], type: String? = "application/json",
        body: [UInt8]? = nil, _ status: Int, _ code: String? = nil, nginx: (Int, String?)? = nil
    ) -> HostileRequest {
        HostileRequest(
            name: "\(line.prefix(60)): \(name)",
            bytes: { site in
                request(
                    String(decoding: site.filled(Array(line.utf8)), as: UTF8.self),
                    fields: ["Authorization: Bearer \(site.token)"] + fields, type: type,
                    body: body.map(site.filled))
            }, status: status, code: code, throughNginx: nginx.map { ($0, $1) })
    }

    static func chat(
        _ line: String, _ name: String, fields: [String] = [], type: String? = "application/json", body: String,
        _ status: Int, _ code: String? = nil, nginx: (Int, String?)? = nil
    ) -> HostileRequest {
        chat(line, name, fields: fields, type: type, body: Array(body.utf8), status, code, nginx: nginx)
    }
}

extension HostileRequest.Site {
    /// With the ids in their places.
    fileprivate func filled(_ bytes: [UInt8]) -> [UInt8] {
        var data = Data(bytes)
        for (place, id) in [("{conversation}", conversation), ("{message}", message)] {
            while let range = data.range(of: Data(place.utf8)) { data.replaceSubrange(range, with: Data("\(id)".utf8)) }
        }
        return Array(data)
    }
}

/// The rows of ChatService.
extension HostileRequests {
    static var chat: [HostileRequest] {
        var aimed = bearers.map { $0.aimed(from: "/api/profile", at: "/conversations") }
        aimed += unreadable.map { $0.aimed(from: "/login", at: "/conversations", isSignedIn: true) }
        aimed += (unreadable + http).map { $0.aimed(from: "/login", at: "/chat", isSignedIn: true) }
        return [
            aimed, chatIDs, limits, cursors, queries, conversations, questions, keys, streams, urlencoded, multipart,
        ].flatMap(\.self)
    }

    private static let chatIDs: [HostileRequest] =
        [
            "0", "-1", "+1", "1.5", "1e3", "0x1", "01x", "%20%31", "%D9%A3", "%EF%BC%91", "9223372036854775808", "null",
            "1;drop", String(repeating: "9", count: 1_000), "1'%20or%20'1'='1",
        ].map { .chat("GET /conversations/\($0)", "an id", 400, "invalid_id") } + [
            .chat("GET /conversations/%00", "an id", 400, "invalid_id", nginx: (400, "invalid_request")),
            .chat("GET /conversations/9223372036854775807", "an id", 404, "conversation_not_found"),
            .chat("GET /conversations/{conversation}%2Fmessages", "an encoded slash", 400, "invalid_id"),
            .chat("GET /conversations/..%2F..%2Fetc", "a way out", 400, "invalid_id", nginx: (400, "invalid_request")),
            .chat("PATCH /conversations/0", "an id", body: "{}", 400, "invalid_id"),
            .chat("DELETE /conversations/-1", "an id", 400, "invalid_id"),
            .chat("GET /conversations/1.5/messages", "an id", 400, "invalid_id"),
            .chat("GET /conversations/%D9%A3/events", "an id", 400, "invalid_id"),
            .chat("GET /messages/9223372036854775808", "an id", 400, "invalid_id"),
            .chat("GET /messages/9223372036854775807", "an id", 404, "message_not_found"),
            .chat("POST /messages/0/cancel", "an id", body: "", 400, "invalid_id"),
            .chat(
                "POST /messages/{message}%00/retry", "an id", body: "", 400, "invalid_id",
                nginx: (400, "invalid_request")),
            .chat("POST /messages/1e3/regenerate", "an id", body: "", 400, "invalid_id"),
        ]

    /// The cursor that these two numbers make, as `next_cursor` has it.
    private static func cursor(_ time: Int64, _ id: Int64) -> String {
        let bytes = [time, id].flatMap { value in withUnsafeBytes(of: value.bigEndian, Array.init) }
        return Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
            "=", with: "")
    }

    private static func query(_ query: String, _ status: Int, _ code: String? = nil) -> [HostileRequest] {
        ["/conversations", "/conversations/{conversation}/messages", "/search"].map {
            .chat("GET \($0)?q=a&\(query)", "a query", status, code)
        }
    }

    private static let limits: [HostileRequest] = [
        query("limit=0", 422, "out_of_range"), query("limit=-1", 422, "out_of_range"),
        query("limit=201", 422, "out_of_range"), query("limit=18446744073709551616", 422, "out_of_range"),
        query("limit=", 400, "invalid_query"), query("limit=1.5", 400, "invalid_query"),
        query("limit=%D9%A3", 400, "invalid_query"), query("limit=1%00", 400, "invalid_query"),
        query("limit=%2B1", 400, "invalid_query"), query("limit=1;drop", 400, "invalid_query"),
    ].flatMap(\.self)

    private static let cursors: [HostileRequest] = [
        query("cursor=nonsense", 400, "invalid_cursor"), query("cursor=", 400, "invalid_cursor"),
        query("cursor=\(cursor(0, 0))", 400, "invalid_cursor"), query("cursor=\(cursor(0, -1))", 400, "invalid_cursor"),
        query("cursor=\(cursor(.min, 1))", 400, "invalid_cursor"), query("cursor=\(cursor(.max, .max))", 200),
        query("cursor=\(cursor(0, 1))%3D%3D", 400, "invalid_cursor"),
        query("cursor=\(String(repeating: "A", count: 6_000))", 400, "invalid_cursor"),
    ].flatMap(\.self)

    private static let queries: [HostileRequest] = [
        .chat("GET /conversations?offset=-1", "a query", 422, "out_of_range"),
        .chat("GET /conversations?offset=9223372036854775807", "a query", 200),
        .chat("GET /conversations/{conversation}/messages?order=up", "a query", 400, "invalid_query"),
        .chat("GET /conversations/{conversation}/messages?order=ASC", "a query", 400, "invalid_query"),
        .chat("GET /conversations/{conversation}/messages?order=", "a query", 400, "invalid_query"),
        .chat("GET /conversations/{conversation}/messages?order=asc%00", "a query", 400, "invalid_query"),
        .chat("GET /search", "no words", 400, "invalid_query"),
        .chat("GET /search?q=", "no words", 422, "empty_search"),
        .chat("GET /search?q=%00", "NUL alone", 422, "empty_search"),
        .chat("GET /search?q=a%00b", "NUL between letters", 200),
        .chat("GET /search?q=%ff%fe", "no UTF-8", 200),
        .chat("GET /search?q=%ED%A0%80", "a surrogate", 200),
        .chat("GET /search?q=%", "half an escape", 200),
        .chat("GET /search?q='%29%3B+drop+table", "SQL", 200),
        .chat("GET /search?q=%21%26%7C%28%3A%2A%3C-%3E%5C", "signs of a text search", 200),
        .chat("GET /search?q=\(String(repeating: "%22", count: 200))", "200 quotes", 200),
        .chat(
            "GET /search?q=\(String(repeating: "a", count: 10_000))", "10,000 characters", 422, "out_of_range",
            nginx: (431, "header_too_large")),
    ]

    private static let conversations: [HostileRequest] = [
        .chat("POST /conversations", "a number as title", body: #"{"title":1}"#, 400, "invalid_body"),
        .chat("POST /conversations", "a list as title", body: #"{"title":["a"]}"#, 400, "invalid_body"),
        .chat("POST /conversations", "an object as context", body: #"{"business_context":{}}"#, 400, "invalid_body"),
        .chat(
            "POST /conversations", "101 characters", body: #"{"title":"\#(String(repeating: "я", count: 101))"}"#, 422,
            "invalid_title"),
        .chat(
            "POST /conversations", "one letter with 200 accents",
            body: #"{"title":"a\#(String(repeating: "\u{301}", count: 200))"}"#, 422, "invalid_title"),
        .chat("POST /conversations", "a line break in a title", body: #"{"title":"a\r\nb"}"#, 422, "invalid_title"),
        .chat(
            "POST /conversations", "10,001 characters of context",
            body: #"{"business_context":"\#(String(repeating: "x", count: 10_001))"}"#, 422,
            "invalid_business_context"),
        .chat("POST /conversations", "a body without a type", type: nil, body: "{}", 415, "unsupported_media_type"),
        .chat(
            "POST /conversations", "another charset", type: "application/json; charset=utf-16", body: "{}", 415,
            "unsupported_media_type"),
        .chat(
            "POST /conversations", "two types", fields: ["Content-Type: text/plain"], body: "{}", 415,
            "unsupported_media_type"),
        .chat(
            "POST /conversations", "a form", type: "application/x-www-form-urlencoded", body: "title=a", 415,
            "unsupported_media_type"),
        .chat(
            "POST /conversations", "gzip", fields: ["Content-Encoding: gzip"], body: "{}", 415,
            "content_encoding_not_supported"),
        .chat("PATCH /conversations/{conversation}", "an empty title", body: #"{"title":""}"#, 422, "invalid_title"),
        .chat(
            "PATCH /conversations/{conversation}", "a title of blanks", body: #"{"title":"\u00a0 "}"#, 422,
            "invalid_title"),
        .chat("PATCH /conversations/{conversation}", "a number as title", body: #"{"title":0}"#, 400, "invalid_body"),
        .chat("PATCH /conversations/{conversation}", "a list", body: "[]", 400, "invalid_body"),
        .chat("PATCH /conversations/{conversation}", "nothing", body: "", 400, "invalid_json"),
        .chat(
            "PATCH /conversations/{conversation}", "a member twice", body: #"{"title":"a","title":"b"}"#, 400,
            "invalid_json"),
        .chat("PATCH /conversations/{conversation}", "NUL, escaped", body: #"{"title":"\u0000"}"#, 400, "invalid_json"),
        .chat(
            "PATCH /conversations/9223372036854775807", "of nobody", body: #"{"title":"a"}"#, 404,
            "conversation_not_found"),
    ]

    private static func question(_ id: String, _ status: Int, _ code: String) -> HostileRequest {
        .chat("POST /chat", "id \(id)", body: #"{"conversation_id":\#(id),"message":"a"}"#, status, code)
    }

    private static func question(_ members: String, _ name: String, _ status: Int, _ code: String) -> HostileRequest {
        .chat("POST /chat", name, body: #"{"conversation_id":{conversation}\#(members)}"#, status, code)
    }

    private static let questions: [HostileRequest] =
        ["1.5", "1e0", "1.0", "9223372036854775808", "-9223372036854775809", #""1""#, "null", "true", "[1]"].map {
            question($0, 400, "invalid_body")
        }
        + ["0", "-1", "9223372036854775807", "-9223372036854775808"].map {
            question($0, 404, "conversation_not_found")
        } + [
            question("", "no message", 400, "invalid_body"),
            question(#","message":1"#, "a number", 400, "invalid_body"),
            question(#","message":null"#, "null", 400, "invalid_body"),
            question(#","message":"""#, "an empty message", 422, "empty_message"),
            question(#","message":"\u3000\u2003\n""#, "blanks of other alphabets", 422, "empty_message"),
            question(#","message":"a\u0000""#, "NUL, escaped", 400, "invalid_json"),
            question(#","message":"\ud83d""#, "half of a pair", 400, "invalid_json"),
            question(
                #","message":"\#(String(repeating: "я", count: 10_001))""#, "10,001 characters", 422,
                "message_too_long"),
            question(
                #","message":"a\#(String(repeating: "\u{301}", count: 10_000))""#, "one letter with 10,000 accents",
                422, "message_too_long"),
            question(#","message":"a","domain":"astrology""#, "another domain", 422, "unknown_domain"),
            question(#","message":"a","domain":7"#, "a number as domain", 400, "invalid_body"),
            question(#","message":"a","message":"b""#, "a member twice", 400, "invalid_json"),
        ]

    /// A key that is right lets the request through to its body.
    private static func key(_ fields: [String], _ name: String, _ status: Int) -> [HostileRequest] {
        let isRight = status == 201
        let (other, code) = isRight ? (400, "invalid_body") : (status, "invalid_idempotency_key")
        return [
            .chat("POST /conversations", "key: \(name)", fields: fields, body: "{}", status, isRight ? nil : code),
            .chat("POST /chat", "key: \(name)", fields: fields, body: "{}", other, code),
            .chat(
                "POST /chat/file", "key: \(name)", fields: fields, type: "multipart/form-data; boundary=b",
                body: "--b\r\n\(file())\r\n--b--\r\n", other, code),
        ]
    }

    private static let keys: [HostileRequest] = [
        key(["Idempotency-Key: \(String(repeating: "k", count: 255))"], "255 characters", 201),
        key(["Idempotency-Key: \(String(repeating: "k", count: 256))"], "256 characters", 400),
        key(["Idempotency-Key:"], "empty", 400), key(["Idempotency-Key: a b"], "a blank", 400),
        key(["Idempotency-Key: é"], "not ASCII", 400), key(["Idempotency-Key: a", "Idempotency-Key: a"], "twice", 400),
    ].flatMap(\.self)

    private static func events(after id: String) -> [HostileRequest] {
        let query = id.replacing(" ", with: "%20").replacing("é", with: "%C3%A9")
        return [
            .chat(
                "GET /conversations/{conversation}/events", "after \(id.prefix(40))", fields: ["Last-Event-ID: \(id)"],
                400, "invalid_cursor"),
            .chat("GET /conversations/{conversation}/events?after=\(query)", "a cursor", 400, "invalid_cursor"),
        ]
    }

    private static let streams: [HostileRequest] =
        [
            "nonsense", "-1", "+1", "01", "1.5", "1-", "1--2", "1-2.3", "1-0.0.0", "1-2.3.zz", "9223372036854775808",
            "1 2", "é", String(repeating: "1-2.3.4", count: 600),
        ].flatMap(events) + [
            .chat(
                "GET /conversations/{conversation}/events", "the cursor of a beginning", fields: ["Last-Event-ID: 0"],
                200),
            .chat("GET /conversations/9223372036854775807/events", "of nobody", 404, "conversation_not_found"),
        ]
}
