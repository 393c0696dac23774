import Testing

@testable import ChatService

@Suite("Text files")
struct PlainTextTests {
    private func decoded(_ bytes: [UInt8]) -> (TextEncoding, String) {
        bytes.withUnsafeBytes { bytes in
            let encoding = TextEncoding(of: bytes)
            return (encoding, PageText(encoding.decode(bytes)).cleaned)
        }
    }

    private func utf16(_ text: String, bigEndian: Bool) -> [UInt8] {
        text.utf16.flatMap { unit in
            let bytes = [UInt8(unit >> 8), UInt8(unit & 0xff)]
            return bigEndian ? bytes : bytes.reversed()
        }
    }

    @Test func theMarkDecides() {
        #expect(decoded([0xef, 0xbb, 0xbf] + Array("Счет".utf8)) == (.utf8, "Счет"))
        #expect(decoded([0xff, 0xfe] + utf16("Счет", bigEndian: false)) == (.utf16LittleEndian, "Счет"))
        #expect(decoded([0xfe, 0xff] + utf16("Счет 𝄞", bigEndian: true)) == (.utf16BigEndian, "Счет 𝄞"))
    }

    @Test func withoutAMarkTheEvidenceDecides() {
        let text = "Оплатить в течение 7 дней, не позже."
        #expect(decoded(Array(text.utf8)) == (.utf8, text))
        #expect(decoded(utf16(text, bigEndian: false)) == (.utf16LittleEndian, text))
        #expect(decoded(utf16(text, bigEndian: true)) == (.utf16BigEndian, text))
        #expect(decoded([0xd1, 0xf7, 0xe5, 0xf2, 0x20, 0xb9, 0x20, 0x35]) == (.windows1251, "Счет № 5"))
        #expect(decoded(Array("plain".utf8)) == (.utf8, "plain"))
    }

    @Test func oneBrokenPlaceDoesNotMakeUTF8AnythingElse() {
        let text = String(repeating: "строка ", count: 10)
        #expect(decoded(Array(text.utf8) + [0xd0]).0 == .utf8)
    }

    @Test func everyByteOfWindows1251HasItsCharacter() {
        let upper = (0x80...0xff).map { UInt8($0) }
        let text = upper.withUnsafeBytes { TextEncoding.windows1251.decode($0) }
        #expect(text.unicodeScalars.count == 128)
        #expect(text.unicodeScalars.last == "я")
        #expect(text.unicodeScalars.first == "Ђ")
        #expect(Array(text.unicodeScalars)[0xa8 - 0x80] == "Ё")
        #expect(Array(text.unicodeScalars)[0xc0 - 0x80] == "А")
    }

    @Test func lineEndsBecomeLineFeedsAndControlsGo() {
        #expect(PageText("a\r\nb\rc\u{0}d\u{7}\te\u{c}f\r\n\r\n").cleaned == "a\nb\ncd\te\nf")
        #expect(PageText("  kept  \n\n\n  too").cleaned == "  kept  \n\n\n  too")
    }

    @Test func recognisedTextIsComposedAndTrimmed() {
        #expect(PageText("e\u{301} \n\n\n\n и\u{306}  \n").normalized == "é\n\n й")
        #expect(PageText("\n \u{c}\n").normalized == "")
    }
}
