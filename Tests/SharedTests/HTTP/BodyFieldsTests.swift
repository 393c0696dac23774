import NIOCore
import Shared
import Testing

@Suite("Body fields")
struct BodyFieldsTests {
    @Test("gives the members of a JSON object by kind")
    func reads() throws {
        var fields = try fields(#"{"s":"text","i":-5,"n":null,"o":{}}"#)
        #expect(fields.string("s") == "text")
        #expect(fields.int("i") == -5)
        #expect(fields.optionalString("n") == nil)
        #expect(fields.optionalInt("missing") == nil)
        #expect(fields.has("n") && !fields.has("missing"))
        #expect(throws: Never.self) { try fields.finish() }
    }

    @Test("collects every error and tells them at once")
    func collects() throws {
        var fields = try fields(#"{"a":1,"b":"1","c":null,"d":1.5,"e":[]}"#)
        _ = (
            fields.string("a"), fields.int("b"), fields.string("c"), fields.int("d"), fields.optionalString("e"),
            fields.int("f")
        )
        let problem = #expect(throws: Problem.self) { try fields.finish() }
        #expect(problem?.code == .invalidBody)
        #expect(
            problem?.errors == [
                .init("a", "must be a string"), .init("b", "must be a 64-bit integer"), .init("c", "is required"),
                .init("d", "must be a 64-bit integer"), .init("e", "must be a string"), .init("f", "is required"),
            ]
        )
    }

    @Test("tells JSON that is no object from what is no JSON")
    func noObject() {
        for text in ["[]", "1", "\"x\"", "null"] {
            #expect(#expect(throws: Problem.self) { try fields(text) }?.code == .invalidBody)
        }
        for text in ["", "{", "{}{}", "{\"a\":1,\"a\":1}", "\u{FEFF}{}"] {
            #expect(#expect(throws: Problem.self) { try fields(text) }?.code == .invalidJSON)
        }
    }

    @Test("reads forms: plus, percent, empty values; integers from text")
    func forms() throws {
        var fields = try BodyFields(form: ByteBuffer(string: "message=a+b%2B%C3%A9&conversation_id=42&domain=&&flag"))
        #expect(fields.string("message") == "a b+\u{E9}")
        #expect(fields.int("conversation_id") == 42)
        #expect(fields.optionalString("domain") == "")
        #expect(fields.optionalString("flag") == "")
        try fields.finish()
    }

    @Test(
        "refuses forms that can be read in two ways",
        arguments: ["a=1&a=2", "a=%", "a=%4", "a=%zz", "a=%FF", "a=%00", "%00=1", "a=%C0%AF"])
    func badForms(text: String) {
        #expect(#expect(throws: Problem.self) { try BodyFields(form: ByteBuffer(string: text)) }?.code == .invalidForm)
    }

    @Test("bounds the pairs of a form")
    func manyPairs() {
        let text = (0..<1000).map { "a\($0)=1" }.joined(separator: "&")
        #expect(throws: Problem.self) { try BodyFields(form: ByteBuffer(string: text)) }
    }

    @Test(
        "takes a content type by its name and charset",
        arguments: [
            ("application/json", BodyForm.json), ("Application/JSON; charset=UTF-8", .json),
            ("application/json;charset=\"utf-8\"", .json),
            ("application/json; foo=bar", .json), ("application/x-www-form-urlencoded", .form),
            (" application/json ", .json),
        ]
    )
    func contentTypes(text: String, form: BodyForm) {
        #expect(BodyForm(contentType: text, allowing: [.json, .form]) == form)
    }

    @Test(
        "refuses other content types",
        arguments: [
            "", "text/plain", "application/jsonx", "application/problem+json", "application/json; charset=latin1",
            "multipart/form-data; boundary=x", "application/json, text/plain",
        ]
    )
    func otherTypes(text: String) {
        #expect(BodyForm(contentType: text, allowing: [.json, .form]) == nil)
    }

    private func fields(_ text: String) throws -> BodyFields { try BodyFields(json: ByteBuffer(string: text)) }
}
