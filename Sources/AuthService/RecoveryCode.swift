import Shared

/// Stands in for a code of the second factor once, when the device that makes them is lost.
///
/// 80 random bits, sixteen characters of base 32 in groups of four. So many that SHA-256 alone keeps them: nobody tries
/// 2⁸⁰ texts, and a slow hash would only slow down sign-ins.
struct RecoveryCode: Sendable {
    /// Codes that one account is given.
    static let count = 10
    private static let randomBytes = 10
    private static let characters = 16

    /// The sixteen characters, without what parts them.
    private let letters: String

    /// A new one.
    init() {
        var generator = SystemRandomNumberGenerator()
        letters = Base32.encode((0..<Self.randomBytes).map { _ in .random(in: .min ... .max, using: &generator) })
    }

    /// As it was typed: in any case, however grouped. Nil when it cannot be a code.
    init?(_ text: String) {
        guard text.utf8.count <= 64 else { return nil }
        let letters = text.uppercased().utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: " ") }
        guard letters.count == Self.characters else { return nil }
        self.letters = String(decoding: letters, as: UTF8.self)
    }

    /// What its owner writes down.
    var text: String {
        let letters = Array(letters)
        return stride(from: 0, to: letters.count, by: 4).map { String(letters[$0..<min($0 + 4, letters.count)]) }
            .joined(separator: "-")
    }

    /// What is stored.
    var hash: [UInt8] { SHA256.hash(data: letters.utf8) }
}

extension RecoveryCode: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "RecoveryCode(••••)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
