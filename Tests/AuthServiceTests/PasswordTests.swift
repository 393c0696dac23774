import Testing

@testable import AuthService

@Suite("Passwords and names")
struct PasswordTests {
    @Test(
        "eight characters of any script are enough",
        arguments: ["12345678", "пароль12", "密码密码密码密码", "🔒🔒🔒🔒🔒🔒🔒🔒", "        ", "e\u{301}e\u{301}e\u{301}e\u{301}"])
    func longEnough(_ text: String) throws {
        #expect(try Password(chosen: text).bytes == Array(text.utf8))
    }

    @Test("fewer than eight characters are refused, however many bytes", arguments: ["", "1234567", "密码密码密码密"])
    func tooShort(_ text: String) {
        #expect(throws: WeakPassword.tooShort) { try Password(chosen: text) }
    }

    @Test("1,024 bytes are kept whole, 1,025 are refused")
    func longest() throws {
        #expect(try Password(chosen: String(repeating: "é", count: 512)).bytes.count == 1_024)
        #expect(throws: WeakPassword.tooLong) { try Password(chosen: String(repeating: "é", count: 512) + "x") }
        #expect(Password(presented: String(repeating: "x", count: 1_024)) != nil)
        #expect(Password(presented: String(repeating: "x", count: 1_025)) == nil)
    }

    @Test("composed and decomposed letters are different passwords")
    func bytesDecide() throws {
        let composed = try Password(chosen: "caf\u{E9}caf\u{E9}")
        let decomposed = try Password(chosen: "cafe\u{301}cafe\u{301}")
        #expect(!composed.isSame(as: decomposed))
        #expect(composed.isSame(as: try Password(chosen: "caf\u{E9}caf\u{E9}")))
    }

    @Test("a password does not print")
    func doesNotPrint() throws {
        let password = try Password(chosen: "open sesame")
        var dumped = ""
        dump(password, to: &dumped)
        for text in ["\(password)", String(reflecting: password), String(describing: [password]), dumped] {
            #expect(!text.contains("open sesame") && !text.contains("\(UInt8(ascii: "o"))"))
        }
    }

    @Test(
        "a name is trimmed and kept as it is written",
        arguments: [
            ("Ann", "Ann"), ("  Ann Smith\u{A0}", "Ann Smith"), ("\tИван\n", "Иван"), ("O'Brien-李", "O'Brien-李"),
            ("👩‍👩‍👧", "👩‍👩‍👧"), (String(repeating: "я", count: 255), String(repeating: "я", count: 255)),
        ])
    func names(_ typed: String, _ kept: String) {
        #expect(PersonName(typed)?.text == kept)
    }

    @Test(
        "an empty, too long or unprintable name is refused",
        arguments: [
            "", "   ", "\u{3000}\u{A0}", "Ann\nSmith", "Ann\u{0}", "Ann\u{1B}[31m", "Ann\u{85}Smith",
            "Ann\u{2028}Smith",
            String(repeating: "я", count: 256),
        ])
    func refusedNames(_ typed: String) {
        #expect(PersonName(typed) == nil)
    }
}
