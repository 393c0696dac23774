import NIOCore
import Shared
import Testing

@Suite("JSON parser")
struct JSONParserTests {
    @Test(
        "accepts what RFC 8259 allows",
        arguments: [
            ("null", JSONValue.null), (" \t\r\n true \n", .bool(true)), ("false", .bool(false)), ("0", .number("0")),
            ("-0", .number("-0")), ("-0.0e-1", .number("-0.0e-1")), ("1E+2", .number("1E+2")),
            ("123.456", .number("123.456")),
            ("\"\"", .string("")), (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")),
            (#""\u0041\u00e9\u20AC""#, .string("A\u{E9}\u{20AC}")), (#""\uD83D\uDE00""#, .string("\u{1F600}")),
            ("\"\u{1F600}\u{7F}\"", .string("\u{1F600}\u{7F}")), ("[]", .array([])),
            ("[ 1 , [ ] ]", .array([.int(1), .array([])])),
            ("{}", .object(JSONObject())), (#""\uFFFF""#, .string("\u{FFFF}")),
        ]
    )
    func accepts(text: String, value: JSONValue) throws {
        #expect(try JSONParser.parse(ByteBuffer(string: text)) == value)
    }

    @Test(
        "refuses what RFC 8259 does not allow, and says why",
        arguments: [
            ("", JSONParser.Failure.Reason.unexpectedEnd), (" ", .unexpectedEnd), ("nul", .unexpectedEnd),
            ("nulL", .unexpectedByte),
            ("True", .unexpectedByte), ("NaN", .unexpectedByte), ("Infinity", .unexpectedByte), ("+1", .unexpectedByte),
            ("01", .trailingBytes), ("-", .unexpectedEnd), ("-a", .invalidNumber), ("1.", .unexpectedEnd),
            (".5", .unexpectedByte),
            ("1.e1", .invalidNumber), ("1e", .unexpectedEnd), ("1e+", .unexpectedEnd), ("0x1", .trailingBytes),
            ("1 2", .trailingBytes),
            ("{}x", .trailingBytes), ("[1,]", .unexpectedByte), ("[,1]", .unexpectedByte), ("[1 2]", .unexpectedByte),
            ("[1", .unexpectedEnd), ("]", .unexpectedByte), ("[}", .unexpectedByte), ("{\"a\"}", .unexpectedByte),
            ("{\"a\":}", .unexpectedByte), ("{\"a\":1,}", .unexpectedByte), ("{a:1}", .unexpectedByte),
            ("{1:1}", .unexpectedByte),
            ("{'a':1}", .unexpectedByte), ("{\"a\":1", .unexpectedEnd), ("{\"a\"", .unexpectedEnd),
            ("{", .unexpectedEnd),
            ("\"a", .unexpectedEnd), ("\"\\\"", .unexpectedEnd), ("\"\\", .unexpectedEnd), ("\"\\x\"", .invalidEscape),
            ("\"\\u12\"", .unexpectedEnd), ("\"\\u12g4\"", .invalidEscape), ("\"\\u+123\"", .invalidEscape),
            ("\"\u{9}\"", .controlCharacter), ("\"\n\"", .controlCharacter), ("\"\\n\u{1F}\"", .controlCharacter),
            ("\"\0\"", .nul), ("\"a\\n\0\"", .nul), ("\0", .nul), ("1\0", .trailingBytes), ("\"\\u0000\"", .nul),
            ("\"\\uD800\"", .loneSurrogate), ("\"\\uDC00\"", .loneSurrogate), ("\"\\uD800\\uD800\"", .loneSurrogate),
            ("\"\\uD800x\"", .loneSurrogate), ("\"\\uD800\\n\"", .loneSurrogate), ("\u{FEFF}{}", .unexpectedByte),
            ("/* */1", .unexpectedByte), ("1//", .trailingBytes), ("{\"a\":1,\"a\":2}", .duplicateMember),
            ("{\"a\":1,\"\\u0061\":2}", .duplicateMember), ("[{\"b\":{\"\":1,\"\":1}}]", .duplicateMember),
            ("\u{A0}1", .unexpectedByte), ("\u{C}1", .unexpectedByte),
        ]
    )
    func refuses(text: String, reason: JSONParser.Failure.Reason) throws {
        let failure = #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(ByteBuffer(string: text)) }
        // A string that is cut inside \uXXXX may end for either reason.
        #expect(failure?.reason == reason)
    }

    @Test(
        "refuses invalid UTF-8: overlong, surrogates, too large, cut off, stray",
        arguments: [
            [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xF0, 0x80, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xC3], [0xE2, 0x82], [0x80], [0xFF], [0xC0, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80],
        ] as [[UInt8]]
    )
    func refusesInvalidUTF8(bytes: [UInt8]) {
        for text in [
            [0x22] + bytes + [0x22], Array("\"\\n".utf8) + bytes + [0x22],
            Array("{\"".utf8) + bytes + Array("\":1}".utf8),
        ] {
            let failure = #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(ByteBuffer(bytes: text)) }
            #expect(failure?.reason == .invalidUTF8)
        }
        #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(ByteBuffer(bytes: bytes)) }
    }

    @Test("bounds the depth, and a hundred thousand levels cost no stack")
    func depth() throws {
        func nested(_ levels: Int) -> ByteBuffer {
            ByteBuffer(string: String(repeating: "[", count: levels) + String(repeating: "]", count: levels))
        }
        #expect(throws: Never.self) { try JSONParser.parse(nested(JSONParser.depthMax)) }
        for levels in [JSONParser.depthMax + 1, 100_000] {
            let failure = #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(nested(levels)) }
            #expect(failure?.reason == .tooDeep)
        }
        let objects = ByteBuffer(string: String(repeating: "{\"a\":", count: 100_000))
        let failure = #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(objects) }
        #expect(failure?.reason == .tooDeep)
    }

    @Test("finds a duplicate among ten thousand members")
    func manyMembers() throws {
        let members = (0..<10_000).map { "\"m\($0)\":\($0)" }.joined(separator: ",")
        guard case .object(let object) = try JSONParser.parse(ByteBuffer(string: "{\(members)}")) else {
            Issue.record("no object")
            return
        }
        #expect(object["m9999"] == .int(9999))
        let failure = #expect(throws: JSONParser.Failure.self) {
            try JSONParser.parse(ByteBuffer(string: "{\(members),\"m5\":0}"))
        }
        #expect(failure?.reason == .duplicateMember)
    }

    @Test("takes names by their bytes: equivalent is not equal")
    func namesByBytes() throws {
        guard
            case .object(let object) = try JSONParser.parse(
                ByteBuffer(string: "{\"\u{212A}\":1,\"\u{E9}\":2,\"e\u{301}\":3}"))
        else {
            Issue.record("no object")
            return
        }
        #expect(object["K"] == nil)
        #expect(object["\u{E9}"] == .int(2))
        #expect(object["e\u{301}"] == .int(3))
    }

    @Test("bounds a number and reads only whole ones as integers")
    func numbers() throws {
        let long = String(repeating: "1", count: JSONParser.numberBytesMax + 1)
        #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(ByteBuffer(string: long)) }
        #expect(JSONValue.number("9223372036854775807").asInt == .max)
        #expect(JSONValue.number("-9223372036854775808").asInt == .min)
        for text in ["9223372036854775808", "1.0", "1e2"] { #expect(JSONValue.number(text).asInt == nil) }
    }

    @Test("never reads past the end: every prefix of a document is refused")
    func prefixes() throws {
        let text = Array(#"{"a":[1,-2.5e+3,"x\u00e9\uD83D\uDE00\\",true,false,null],"b":{"c":""}}"#.utf8)
        #expect(throws: Never.self) { try JSONParser.parse(ByteBuffer(bytes: text)) }
        for length in 0..<text.count {
            #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(ByteBuffer(bytes: text[..<length])) }
        }
    }
}
