import Foundation
import Testing

@testable import AuthService

@Suite("E-mail addresses")
struct EmailAddressTests {
    static let local64 = String(repeating: "l", count: 64)
    static let label63 = String(repeating: "d", count: 63)
    /// 64 + "@" + 189 = 254 bytes.
    static let longest = "\(local64)@\(label63).\(label63).\(String(repeating: "e", count: 58)).de"

    @Test(
        "an acceptable address has one canonical form",
        arguments: [
            ("ann@example.com", "ann@example.com"),
            ("Ann@Example.COM", "ann@example.com"),
            ("a@b.co", "a@b.co"),
            ("first.last+tag@sub.example.co.uk", "first.last+tag@sub.example.co.uk"),
            ("o'brien@example.com", "o'brien@example.com"),
            ("!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"),
            ("123@456.example", "123@456.example"),
            ("x@xn--80ak6aa92e.com", "x@xn--80ak6aa92e.com"),
            ("\(local64)@example.com", "\(local64)@example.com"),
            ("a@\(label63).com", "a@\(label63).com"),
            (longest, longest),
        ])
    func acceptable(_ typed: String, _ canonical: String) {
        #expect(EmailAddress(typed)?.text == canonical)
    }

    @Test(
        "what is no address of ours is refused",
        arguments: [
            "", "ann", "@", "ann@", "@example.com", "ann@example", "ann@@example.com", "ann@exa@mple.com",
            ".ann@example.com", "ann.@example.com", "an..n@example.com", "ann@.example.com", "ann@example.com.",
            "ann@example..com", "ann@-example.com", "ann@example-.com", "ann@exam_ple.com", "ann@127.0.0.1",
            "ann@[127.0.0.1]", "\"ann\"@example.com", "ann smith@example.com", " ann@example.com", "ann@example.com ",
            "ann@example.com\n", "ann@example.com\r\nBcc: x@example.com", "ann@exam\u{0}ple.com", "ann(x)@example.com",
            "аnn@example.com", "ann@exаmple.com", "ann@пример.рф", "ann@example\u{3002}com", "ａnn@example.com",
            "ann@example.com\u{7F}", "K@example.com".replacingOccurrences(of: "K", with: "\u{212A}"),
            "l\(local64)@example.com", "a@d\(label63).com", "x\(longest.dropFirst())x", "<ann@example.com>",
            "ann@example.com,bob@example.com", "mailto:ann@example.com@example.com",
        ])
    func refused(_ typed: String) {
        #expect(EmailAddress(typed) == nil)
    }

    @Test("the longest address has 254 bytes, and one more is refused")
    func length() {
        #expect(Self.longest.utf8.count == EmailAddress.bytesMax)
        #expect(EmailAddress(Self.longest.replacingOccurrences(of: "ee.de", with: "eee.de")) == nil)
    }
}
