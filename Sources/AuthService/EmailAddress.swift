/// An e-mail address in the one form this service knows it by: ASCII, lower case.
///
/// One form, so that the unique constraint on `auth.users.email` sees `Ann@Example.com` and `ann@example.com` as one.
/// Only the dot-atom form of RFC 5321 section 4.1.2 is taken: no quoted local part, no address literal, a domain of at
/// least two labels. Non-ASCII is refused, so that look-alike letters cannot make a second account.
struct EmailAddress: Hashable, Sendable {
    /// RFC 5321 section 4.5.3.1.3: 256 octets of path, less the two angle brackets.
    static let bytesMax = 254
    /// RFC 5321 section 4.5.3.1.1.
    static let localPartBytesMax = 64
    /// RFC 1035 section 2.3.4.
    private static let labelBytesMax = 63

    /// The canonical text, 3 to 254 bytes of ASCII.
    let text: String

    /// Nil when `text` is not an address; white space around it is not forgiven.
    init?(_ text: String) {
        guard text.utf8.count <= Self.bytesMax, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let canonical = text.lowercased()
        let parts = canonical.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, Self.isLocalPart(parts[0]), Self.isDomain(parts[1]) else { return nil }
        self.text = canonical
    }

    private static func isLocalPart(_ part: Substring.UTF8View) -> Bool {
        guard part.count <= localPartBytesMax else { return false }
        let atoms = part.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return atoms.allSatisfy { !$0.isEmpty && $0.allSatisfy(isAtomText) }
    }

    private static func isDomain(_ part: Substring.UTF8View) -> Bool {
        let labels = part.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count >= 2, labels.allSatisfy(isLabel), let top = labels.last else { return false }
        // An all-digit last label would make it an IPv4 address (RFC 3696 section 2).
        return !top.allSatisfy(isDigit)
    }

    private static func isLabel(_ label: Substring.UTF8View) -> Bool {
        guard let first = label.first, let last = label.last, label.count <= labelBytesMax else { return false }
        let hyphen = UInt8(ascii: "-")
        return first != hyphen && last != hyphen && label.allSatisfy { isLetter($0) || isDigit($0) || $0 == hyphen }
    }

    /// `atext` of RFC 5322 section 3.2.3, upper case already gone.
    private static func isAtomText(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") }
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
