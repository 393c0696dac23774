import NIOCore
import Shared
import Testing

@Suite("JSON writer")
struct JSONWriterTests {
    @Test("puts commas where they belong")
    func commas() {
        var json = JSONWriter()
        json.object { json in
            json.member("a", 1)
            json.member("b", array: [1, 2]) { $0.int($1) }
            json.member("c", object: { _ in })
            json.member("d", nil as String?)
            json.member("e", true)
            json.key("f")
            json.array { json in
                json.object { $0.member("x", "y") }
                json.null()
                json.document("7")
            }
            json.key(text: "q\"")
            json.bool(false)
        }
        let expected = #"{"a":1,"b":[1,2],"c":{},"d":null,"e":true,"f":[{"x":"y"},null,7],"q\"":false}"#
        #expect(String(buffer: json.buffer) == expected)
    }

    @Test("writes integers to their ends", arguments: [0, 7, -7, 10, 99, 100, -100, .max, .min, 1_000_000_007])
    func integers(value: Int) {
        var bytes: [UInt8] = []
        bytes.appendDecimal(value)
        #expect(String(decoding: bytes, as: UTF8.self) == String(value))
    }

    @Test("finds a byte to escape at every position of every word")
    func escapesAnywhere() throws {
        for special in [
            "\"", "\\", "\n", "\u{1}", "\u{1F}", "\u{7F}", "\u{E9}", "\u{20}", "!", "#", "[", "]", "\u{1F600}",
        ] {
            for length in 0..<20 {
                for position in 0...length {
                    var text = String(repeating: "a", count: length)
                    text.insert(contentsOf: special, at: text.index(text.startIndex, offsetBy: position))
                    try expectRoundTrip(text)
                }
            }
        }
    }

    @Test("what it writes, the strict parser reads back, whatever the text")
    func randomTexts() throws {
        var generator = SeededGenerator(state: 0x5EED)
        for _ in 0..<2_000 {
            let scalars = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                let limit: UInt32 = Bool.random(using: &generator) ? 0x80 : 0x11_0000
                return Unicode.Scalar(UInt32.random(in: 1..<limit, using: &generator)) ?? "?"
            }
            try expectRoundTrip(String(String.UnicodeScalarView(scalars)))
        }
    }

    private func expectRoundTrip(_ text: String) throws {
        var json = JSONWriter(capacity: 1)
        json.string(text)
        guard case .string(let read) = try JSONParser.parse(json.buffer) else {
            Issue.record("no string")
            return
        }
        #expect(Array(read.utf8) == Array(text.utf8))
    }
}

/// A generator whose failures can be repeated (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
