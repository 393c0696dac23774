import Foundation

/// Forms: of names and values, and of parts with files.
extension HostileRequests {
    private static func pairs(_ text: String, _ status: Int, _ code: String) -> HostileRequest {
        .chat(
            "POST /chat", "form \(text.prefix(60))", type: "application/x-www-form-urlencoded", body: text, status, code
        )
    }

    static let urlencoded: [HostileRequest] = [
        pairs("", 400, "invalid_body"), pairs("&&&", 400, "invalid_body"),
        pairs("conversation_id={conversation}", 400, "invalid_body"),
        pairs("conversation_id={conversation}&message=%00", 400, "invalid_form"),
        pairs("conversation_id={conversation}&message=a\u{0}b", 400, "invalid_form"),
        pairs("conversation_id={conversation}&message=%ff", 400, "invalid_form"),
        pairs("conversation_id={conversation}&message=%C0%AF", 400, "invalid_form"),
        pairs("conversation_id={conversation}&message=%ED%A0%80", 400, "invalid_form"),
        pairs("conversation_id={conversation}&message=%zz", 400, "invalid_form"),
        pairs("conversation_id={conversation}&message=%4", 400, "invalid_form"),
        pairs("conversation_id={conversation}&message=a&message=b", 400, "invalid_form"),
        pairs("conversation_id={conversation}&message=a&m%65ssage=b", 400, "invalid_form"),
        pairs("conversation_id={conversation}&message=a&conversation_id=1", 400, "invalid_form"),
        pairs("conversation_id=+{conversation}&message=a", 400, "invalid_body"),
        pairs("conversation_id=%2B{conversation}&message=a", 400, "invalid_body"),
        pairs("conversation_id=%D9%A3&message=a", 400, "invalid_body"),
        pairs("conversation_id=1.5&message=a", 400, "invalid_body"),
        pairs("conversation_id=9223372036854775808&message=a", 400, "invalid_body"),
        pairs("conversation_id=0&message=a", 404, "conversation_not_found"),
        pairs("conversation_id={conversation}&message=+%0A", 422, "empty_message"),
        pairs((0..<65).map { "a\($0)=1" }.joined(separator: "&"), 400, "invalid_form"),
        pairs("message=" + String(repeating: "a", count: 300_000), 413, "payload_too_large"),
        .chat(
            "POST /chat", "a form in another charset", type: "application/x-www-form-urlencoded; charset=koi8-r",
            body: "message=a", 415, "unsupported_media_type"),
        .chat(
            "POST /chat/file", "a form without parts", type: "application/x-www-form-urlencoded", body: "message=a",
            415,
            "unsupported_media_type"),
    ]

    /// The part of a file, as a browser writes it but for what a row wants.
    static func file(_ name: String = "a.txt", fields: [String] = [], text: String = "Hello") -> String {
        (["Content-Disposition: form-data; name=\"file\"; filename=\"\(name)\""] + fields + ["", text])
            .joined(separator: "\r\n")
    }

    private static func field(_ name: String, _ value: String) -> String {
        "Content-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)"
    }

    private static let id = field("conversation_id", "{conversation}")

    private static func body(_ parts: [String], boundary: String = "b") -> String {
        parts.map { "--\(boundary)\r\n\($0)\r\n" }.joined() + "--\(boundary)--\r\n"
    }

    /// A form of these parts and the id of the conversation.
    private static func parts(_ name: String, _ parts: [String], _ status: Int, _ code: String? = nil) -> HostileRequest
    {
        form(name, body: body([id] + parts), status, code)
    }

    private static func form(
        _ name: String, boundary: String = "boundary=b", body: String, _ status: Int, _ code: String? = nil,
        nginx: (Int, String?)? = nil
    ) -> HostileRequest {
        .chat(
            "POST /chat/file", name, type: "multipart/form-data; \(boundary)", body: body, status, code, nginx: nginx)
    }

    static let multipart: [HostileRequest] = [frames, fields, heads, files].flatMap(\.self)

    /// What holds the parts together.
    private static let frames: [HostileRequest] = [
        form("no boundary", boundary: "", body: body([id, file()]), 400, "invalid_form"),
        form("an empty boundary", boundary: "boundary=", body: body([id, file()]), 400, "invalid_form"),
        form("an empty boundary in quotes", boundary: "boundary=\"\"", body: body([id, file()]), 400, "invalid_form"),
        form(
            "a boundary of 71 characters", boundary: "boundary=\(long)", body: body([id], boundary: long), 400,
            "invalid_form"),
        form(
            "a boundary of other characters", boundary: "boundary=\"b<b\"", body: body([id], boundary: "b<b"), 400,
            "invalid_form"),
        form("two boundaries", boundary: "boundary=b; boundary=c", body: body([id, file()]), 400, "invalid_form"),
        form(
            "a boundary in UTF-16", boundary: "charset=utf-16; boundary=b", body: body([id]), 415,
            "unsupported_media_type"),
        form("nothing", body: "", 400, "invalid_form"), form("no delimiter", body: "Hello", 400, "invalid_form"),
        form("another delimiter", body: body([id, file()], boundary: "c"), 400, "invalid_form"),
        form("the closing delimiter alone", body: "--b--\r\n", 422, "no_file"),
        form("no closing delimiter", body: "--b\r\n\(id)\r\n--b\r\n\(file())\r\n", 400, "invalid_form"),
        form("half a delimiter at the end", body: "--b\r\n\(id)\r\n--b\r\n\(file())\r\n--b-", 400, "invalid_form"),
        form("a delimiter that goes on", body: "--b\r\n\(id)\r\n--bb\r\n\(file())\r\n--b--\r\n", 400, "invalid_form"),
        form("line feeds alone", body: body([id, file()]).replacing("\r\n", with: "\n"), 400, "invalid_form"),
        form("a preamble of 9,000 bytes", body: bomb + "\r\n" + body([id, file()]), 400, "invalid_form"),
        form("an epilogue of 9,000 bytes", body: body([id, file()]) + bomb, 400, "invalid_form"),
        form("10,000 parts", body: body((0..<10_000).map { field("a\($0)", "") }), 400, "invalid_form"),
        form("10,000 delimiters", body: String(repeating: "--b\r\n", count: 10_000), 400, "invalid_form"),
        .chat(
            "POST /chat/file", "gzip", fields: ["Content-Encoding: gzip"], type: "multipart/form-data; boundary=b",
            body: body([id, file()]), 415, "content_encoding_not_supported"),
        .chat(
            "POST /chat/file", "mixed parts", type: "multipart/mixed; boundary=b", body: body([id, file()]), 415,
            "unsupported_media_type"),
        .chat(
            "POST /conversations", "parts", type: "multipart/form-data; boundary=b", body: body([id]), 415,
            "unsupported_media_type"),
        .chat("POST /chat", "no boundary", type: "multipart/form-data", body: body([id]), 400, "invalid_form"),
        .chat(
            "POST /chat", "a form with nothing", type: "multipart/form-data; boundary=b", body: "--b--\r\n", 400,
            "invalid_body"),
    ]

    private static let long = String(repeating: "b", count: 71)
    private static let bomb = String(repeating: "x", count: 9_000)

    private static let fields: [HostileRequest] = [
        form("no conversation", body: body([file()]), 400, "invalid_body"),
        form("the id twice", body: body([id, id, file()]), 400, "invalid_body"),
        form("an id with a sign", body: body([field("conversation_id", "+1"), file()]), 400, "invalid_body"),
        form("an id in another alphabet", body: body([field("conversation_id", "１"), file()]), 400, "invalid_body"),
        form(
            "an id beyond 64 bits", body: body([field("conversation_id", "9223372036854775808"), file()]), 400,
            "invalid_body"),
        form(
            "the id of nobody", body: body([field("conversation_id", "9223372036854775807"), file()]), 404,
            "conversation_not_found"),
        form(
            "the id as a file",
            body: body(["Content-Disposition: form-data; name=\"conversation_id\"; filename=\"a\"\r\n\r\n1", file()]),
            400, "invalid_body"),
        parts("NUL in a message", [field("message", "a\u{0}b"), file()], 400, "invalid_body"),
        parts(
            "10,001 characters", [field("message", String(repeating: "a", count: 10_001)), file()], 422,
            "message_too_long"),
        parts(
            "a message of 70,000 bytes", [field("message", String(repeating: "a", count: 70_000)), file()], 422,
            "message_too_long"),
        parts(
            "a domain of 70,000 bytes", [field("domain", String(repeating: "a", count: 70_000)), file()], 400,
            "invalid_body"),
        parts("another domain", [field("domain", "astrology"), file()], 422, "unknown_domain"),
        .chat(
            "POST /chat/file", "a message that is no UTF-8", type: "multipart/form-data; boundary=b",
            body: Array("--b\r\n\(id)\r\n--b\r\n\(field("message", ""))".utf8) + [0xFF, 0xFE]
                + Array("\r\n\(body([file()]))".utf8),
            400, "invalid_body"),
    ]

    /// What stands in front of a part.
    private static let heads: [HostileRequest] = [
        parts("a header of 9,000 bytes", [file(fields: ["X-A: \(bomb)"])], 400, "invalid_form"),
        parts("a header without an end", ["X-A: " + String(repeating: bomb, count: 20)], 400, "invalid_form"),
        parts("100 headers", [file(fields: (0..<100).map { "X-\($0): a" })], 400, "invalid_form"),
        parts("a header without a colon", [file(fields: ["No colon"])], 400, "invalid_form"),
        parts("a folded header", [file(fields: ["X-A: a", " b"])], 400, "invalid_form"),
        parts("base64", [file(fields: ["Content-Transfer-Encoding: base64"], text: "SGVsbG8=")], 400, "invalid_form"),
        parts("quoted-printable", [file(fields: ["Content-Transfer-Encoding: quoted-printable"])], 400, "invalid_form"),
        parts("no disposition", ["X-A: a\r\n\r\nHello"], 400, "invalid_form"),
        parts("no header", ["\r\nHello"], 400, "invalid_form"),
        parts("two dispositions", [file(fields: ["Content-Disposition: form-data; name=\"a\""])], 400, "invalid_form"),
        parts(
            "another disposition", ["Content-Disposition: attachment; filename=\"a\"\r\n\r\nHello"], 400, "invalid_form"
        ),
        parts("no name", ["Content-Disposition: form-data; filename=\"a\"\r\n\r\nHello"], 400, "invalid_form"),
        parts(
            "two names", ["Content-Disposition: form-data; name=\"file\"; name=\"a\"\r\n\r\nHello"], 400, "invalid_form"
        ),
        parts(
            "a name that never ends", ["Content-Disposition: form-data; name=\"file\r\n\r\nHello"], 400,
            "invalid_form"),
        parts("NUL in a file's name", [file("a\u{0}.txt")], 400, "invalid_form"),
        parts("a lone CR in a file's name", [file("a\rb.txt")], 400, "invalid_form"),
        parts(
            "a form in a form with a delimiter like the outer one",
            [file(fields: ["Content-Type: multipart/mixed; boundary=bb"], text: body([file()], boundary: "bb"))], 400,
            "invalid_form"),
    ]

    private static let files: [HostileRequest] = [
        parts("no file", [], 422, "no_file"), parts("a file that is a field", [field("a", "Hello")], 422, "no_file"),
        parts("six files", (1...6).map { file("\($0).txt") }, 422, "too_many_files"),
        parts("an empty file", [file(text: "")], 422, "unreadable_file"),
        parts("a program", [file("a.png", text: "\u{7F}ELF\u{2}\u{1}\u{1}\u{0}")], 415, "unsupported_file_type"),
        parts("a text with the name of a picture", [file("a.png", text: "GIF8")], 202),
        parts("a name that leads out", [file("../../../etc/passwd")], 202),
        parts("a name of another system", [file(#"C:\Windows\System32\a.txt"#)], 202),
        parts("an absolute name", [file("/dev/null")], 202), parts("dots as a name", [file("..")], 202),
        parts("a name of 5,000 letters", [file(String(repeating: "я", count: 2_500))], 202),
        parts(
            "an escaped NUL in a name",
            ["Content-Disposition: form-data; name=\"file\"; filename*=UTF-8''a%00..%2Fb\r\n\r\nHello"], 202),
        parts(
            "a form in a file",
            [file(fields: ["Content-Type: multipart/mixed; boundary=c"], text: body([file()], boundary: "c"))], 202),
        .chat(
            "POST /chat", "a wish for something",
            fields: ["Prefer: wait=x, wait=-1, wait=99999999999999999999, wait=0"],
            type: "multipart/form-data; boundary=b", body: body([id, file()]), 202),
        .chat(
            "POST /chat", "a wish for something else", fields: ["Prefer: wait=\(long), ;;=,", "Prefer: =wait"],
            body: #"{"conversation_id":{conversation},"message":"Hello"}"#, 200),
        announced("POST /chat/file"), announced("POST /chat"),
    ]

    /// 60 MiB that are never sent.
    private static func announced(_ line: String) -> HostileRequest {
        let fields = ["Content-Length: 62914560", "Content-Type: multipart/form-data; boundary=b"]
        return .chat(line, "60 MiB announced", fields: fields, 413, "payload_too_large")
    }
}
