import Foundation

/// One row of the table of hostile input: bytes, and what the contract says to them.
struct HostileRequest: Sendable {
    /// What the tests have made before: an account, tokens of it, and a conversation with one message.
    struct Site: Sendable {
        let email: String
        let token: String
        let refreshToken: String
        /// As AuthService made them an hour ago.
        let expiredToken: String
        /// Signed with another secret.
        let forgedToken: String
        var conversation = 0
        var message = 0
    }

    let name: String
    let bytes: @Sendable (Site) -> [UInt8]
    /// The answer's status and, where it is a problem, its code.
    let status: Int
    let code: String?
    /// What nginx says in the place of the service, where it is the one that refuses.
    var throughNginx: (status: Int, code: String?)?

    /// A row whose request is written out.
    static func raw(
        _ name: String, _ text: String, _ status: Int, _ code: String? = nil, nginx: (Int, String?)? = nil
    ) -> HostileRequest {
        HostileRequest(
            name: name, bytes: { _ in Array(text.utf8) }, status: status, code: code,
            throughNginx: nginx.map { ($0, $1) })
    }

    /// A row that posts a body of JSON, or of what claims to be.
    static func post(
        _ path: String, _ name: String, _ body: [UInt8], _ status: Int, _ code: String? = nil,
        nginx: (Int, String?)? = nil
    ) -> HostileRequest {
        HostileRequest(
            name: "\(path): \(name)", bytes: { _ in request("POST \(path)", body: body) }, status: status, code: code,
            throughNginx: nginx.map { ($0, $1) })
    }

    static func post(
        _ path: String, _ name: String, _ body: String, _ status: Int, _ code: String? = nil,
        nginx: (Int, String?)? = nil
    ) -> HostileRequest {
        post(path, name, Array(body.utf8), status, code, nginx: nginx)
    }

    /// A row that reads something with header fields of its own.
    static func get(
        _ path: String, _ name: String, _ fields: @escaping @Sendable (Site) -> [String], _ status: Int,
        _ code: String? = nil, nginx: (Int, String?)? = nil
    ) -> HostileRequest {
        HostileRequest(
            name: "\(path): \(name)", bytes: { request("GET \(path)", fields: fields($0)) }, status: status, code: code,
            throughNginx: nginx.map { ($0, $1) })
    }

    /// A row that ends a session by the id in its path.
    static func id(
        _ id: String, _ status: Int = 400, _ code: String? = "invalid_id", nginx: (Int, String?)? = nil
    ) -> HostileRequest {
        HostileRequest(
            name: "id \(id.prefix(40))",
            bytes: { request("DELETE /api/sessions/\(id)", fields: ["Authorization: Bearer \($0.token)"]) },
            status: status, code: code, throughNginx: nginx.map { ($0, $1) })
    }

    /// A whole request, of which `line` is the first line but for its version.
    static func request(
        _ line: String, fields: [String] = [], type: String? = "application/json", body: [UInt8]? = nil
    ) -> [UInt8] {
        var lines = ["\(line) HTTP/1.1", "Host: parley", "Connection: close"] + fields
        if let body { lines += (type.map { ["Content-Type: \($0)"] } ?? []) + ["Content-Length: \(body.count)"] }
        return Array((lines + ["", ""]).joined(separator: "\r\n").utf8) + (body ?? [])
    }

    /// The same row at another path, if it is one of `path`.
    /// - Parameter isSignedIn: whether a token goes with it.
    func aimed(from path: String, at other: String, isSignedIn: Bool = false) -> HostileRequest {
        let old = bytes
        return HostileRequest(
            name: name.replacing(path, with: other),
            bytes: { site in
                let all = old(site)
                let line = all.prefix { $0 != UInt8(ascii: "\r") }
                let text = String(decoding: line, as: UTF8.self)
                guard text.contains(" \(path)") else { return all }
                let token = isSignedIn ? "\r\nAuthorization: Bearer \(site.token)" : ""
                return Array((text.replacing(" \(path)", with: " \(other)") + token).utf8) + all[line.endIndex...]
            }, status: status, code: code, throughNginx: throughNginx)
    }
}

/// All rows.
enum HostileRequests {
    /// For AuthService.
    static var all: [HostileRequest] { unreadable + json + credentials + bearers + ids + http }

    /// A string of JSON with raw bytes in it, as an e-mail address.
    private static func email(_ bytes: [UInt8]) -> [UInt8] {
        Array(#"{"email":""#.utf8) + bytes + Array(#"","password":"a long password"}"#.utf8)
    }

    /// Bodies that are no JSON object, at whatever path.
    static let unreadable: [HostileRequest] = [
        .post("/login", "nothing", "", 400, "invalid_json"),
        .post("/login", "half a document", #"{"email":"#, 400, "invalid_json"),
        .post("/login", "an array", "[]", 400, "invalid_body"),
        .post("/login", "null", "null", 400, "invalid_body"),
        .post("/login", "a text", #""email""#, 400, "invalid_body"),
        .post("/login", "two documents", "{}{}", 400, "invalid_json"),
        .post("/login", "trailing bytes", "{} x", 400, "invalid_json"),
        .post("/login", "a trailing comma", #"{"email":"a",}"#, 400, "invalid_json"),
        .post("/login", "a comment", #"{/* */"email":"a"}"#, 400, "invalid_json"),
        .post("/login", "single quotes", "{'email':'a'}", 400, "invalid_json"),
        .post("/login", "NaN", #"{"email":NaN}"#, 400, "invalid_json"),
        .post("/login", "a number with a leading zero", #"{"email":01}"#, 400, "invalid_json"),
        .post(
            "/login", "arrays in arrays, 100,000 levels",
            String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000), 400, "invalid_json"),
        .post(
            "/login", "arrays that never close, 100,000 levels", String(repeating: "[", count: 100_000), 400,
            "invalid_json"),
        .post(
            "/login", "objects in objects, 100,000 levels",
            String(repeating: #"{"a":"#, count: 100_000) + "1" + String(repeating: "}", count: 100_000), 413,
            "payload_too_large"),
        .post(
            "/login", "objects in objects, 40,000 levels",
            String(repeating: #"{"a":"#, count: 40_000) + "1" + String(repeating: "}", count: 40_000), 400,
            "invalid_json"),
        .post("/login", "a member twice", #"{"email":"a","email":"b"}"#, 400, "invalid_json"),
        .post("/login", "a member twice, once escaped", #"{"email":"a","\u0065mail":"b"}"#, 400, "invalid_json"),
        .post("/login", "NUL", email([0]), 400, "invalid_json"),
        .post("/login", "NUL, escaped", email(Array(#"a\u0000b"#.utf8)), 400, "invalid_json"),
        .post("/login", "a raw line break in a text", email([0x0A]), 400, "invalid_json"),
        .post("/login", "a high surrogate alone", email(Array(#"\ud800"#.utf8)), 400, "invalid_json"),
        .post("/login", "a low surrogate alone", email(Array(#"\udc00"#.utf8)), 400, "invalid_json"),
        .post("/login", "surrogates the wrong way round", email(Array(#"\udc00\ud800"#.utf8)), 400, "invalid_json"),
        .post("/login", "overlong UTF-8 of two bytes", email([0xC0, 0xAF]), 400, "invalid_json"),
        .post("/login", "overlong UTF-8 of three bytes", email([0xE0, 0x80, 0xAF]), 400, "invalid_json"),
        .post("/login", "overlong UTF-8 of four bytes", email([0xF0, 0x80, 0x80, 0xAF]), 400, "invalid_json"),
        .post("/login", "a surrogate in UTF-8", email([0xED, 0xA0, 0x80]), 400, "invalid_json"),
        .post("/login", "UTF-8 beyond U+10FFFF", email([0xF4, 0x90, 0x80, 0x80]), 400, "invalid_json"),
        .post("/login", "UTF-8 that is cut", email([0xE2, 0x82]), 400, "invalid_json"),
        .post(
            "/login", "UTF-16", Array("{}".utf16).flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }, 400, "invalid_json"),
    ]

    private static let json: [HostileRequest] = [
        .post("/login", "a number for a text", #"{"email":1,"password":"p"}"#, 400, "invalid_body"),
        .post("/login", "null for a text", #"{"email":null,"password":"p"}"#, 400, "invalid_body"),
        .post("/login", "an object for a text", #"{"email":"a@b.c","password":{"$ne":""}}"#, 400, "invalid_body"),
        .post("/login", "a number as code", #"{"email":"a@b.c","password":"p","totp":123456}"#, 400, "invalid_body"),
        .post("/register", "members with other names", #"{"Email":"a@b.cd","PASSWORD":"x"}"#, 400, "invalid_body"),
        .post("/register", "a prototype", #"{"__proto__":{"email":"a@b.cd"}}"#, 400, "invalid_body"),
    ]

    private static func account(
        email: String = "row@example.org", password: String = "a long password", name: String = "Row"
    ) -> String {
        #"{"email":"\#(email)","password":"\#(password)","name":"\#(name)"}"#
    }

    private static let credentials: [HostileRequest] = [
        .post("/register", "CR LF in the address", account(email: #"a@b.cd\r\nBcc: e@f.gh"#), 422, "invalid_email"),
        .post("/register", "a Cyrillic letter", account(email: "\u{430}nn@example.org"), 422, "invalid_email"),
        .post("/register", "a full-width letter", account(email: "\u{FF41}nn@example.org"), 422, "invalid_email"),
        .post("/register", "a letter and its accent", account(email: "a\u{301}nn@example.org"), 422, "invalid_email"),
        .post("/register", "a zero-width blank", account(email: "ann\u{200B}@example.org"), 422, "invalid_email"),
        .post("/register", "a dotless domain", account(email: "ann@example"), 422, "invalid_email"),
        .post("/register", "an address literal", account(email: "ann@[127.0.0.1]"), 422, "invalid_email"),
        .post("/register", "two at signs", account(email: "a@b@example.org"), 422, "invalid_email"),
        .post(
            "/register", "a local part of 65 bytes", account(email: String(repeating: "a", count: 65) + "@example.org"),
            422, "invalid_email"),
        .post(
            "/register", "an address of 100,000 bytes",
            account(email: String(repeating: "a", count: 100_000) + "@example.org"), 422, "invalid_email"),
        .post("/register", "SQL as an address", account(email: "' or 1=1 --"), 422, "invalid_email"),
        .post("/register", "seven characters", account(password: "1234567"), 422, "weak_password"),
        .post(
            "/register", "a password of 1,025 bytes", account(password: String(repeating: "x", count: 1_025)), 422,
            "weak_password"),
        .post(
            "/register", "a password of 1 MiB", account(password: String(repeating: "x", count: 1 << 20)), 413,
            "payload_too_large"),
        .post("/register", "NUL in a password", account(password: #"a long\u0000 password"#), 400, "invalid_json"),
        .post("/register", "a control character in a name", account(name: #"A\u0007"#), 422, "invalid_name"),
        .post("/register", "a line break in a name", account(name: #"A\r\nX-Admin: yes"#), 422, "invalid_name"),
        .post("/register", "a name of blanks", account(name: " \u{A0} "), 422, "invalid_name"),
        .post(
            "/register", "a name of 256 characters", account(name: String(repeating: "я", count: 256)), 422,
            "invalid_name"),
        .post(
            "/login", "SQL as a password", #"{"email":"a@b.cd","password":"' or '1'='1"}"#, 401, "invalid_credentials"),
        .post("/login", "CR LF in an address", #"{"email":"a@b.cd\r\n","password":"p"}"#, 401, "invalid_credentials"),
        .post("/login", "an empty password", #"{"email":"e@b.cd","password":""}"#, 401, "invalid_credentials"),
        .post(
            "/login", "a password of 100,000 bytes",
            #"{"email":"l@b.cd","password":"\#(String(repeating: "x", count: 100_000))"}"#, 401, "invalid_credentials"),
        .post(
            "/login", "10,000 unknown members",
            "{" + (0..<10_000).map { #""member\#($0)":0,"# }.joined() + #""email":"m@b.cd","password":"p"}"#, 401,
            "invalid_credentials"),
        .post("/refresh", "an empty token", #"{"refresh_token":""}"#, 401, "invalid_refresh_token"),
        .post("/refresh", "a token of NUL", #"{"refresh_token":"\u0000"}"#, 400, "invalid_json"),
        .post(
            "/refresh", "a token of 100,000 bytes", #"{"refresh_token":"\#(String(repeating: "x", count: 100_000))"}"#,
            401, "invalid_refresh_token"),
        .post(
            "/refresh", "padding", #"{"refresh_token":"\#(String(repeating: "A", count: 63))="}"#, 401,
            "invalid_refresh_token"),
        .post("/refresh", "a number", #"{"refresh_token":1}"#, 400, "invalid_body"),
        .post("/refresh", "look-alike digits", #"{"refresh_token":"１２３"}"#, 401, "invalid_refresh_token"),
    ]
}
