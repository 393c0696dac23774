/// A password as it was typed: any Unicode, compared byte for byte, neither normalised nor cut.
///
/// It prints as dots, however it is printed, so that it cannot get into a log by accident.
struct Password: Sendable {
    /// NIST SP 800-63B section 5.1.1.2 counts code points; so do we.
    static let charactersMin = 8
    static let bytesMax = 1_024

    let bytes: [UInt8]

    /// A password to compare with a stored one. Nil when it is longer than any stored one can be.
    init?(presented text: String) {
        guard text.utf8.count <= Self.bytesMax else { return nil }
        bytes = Array(text.utf8)
    }

    /// A password to be stored from now on.
    /// - Throws: why it is refused; the sentence is meant for the user.
    init(chosen text: String) throws(WeakPassword) {
        guard text.utf8.count <= Self.bytesMax else { throw .tooLong }
        guard text.unicodeScalars.count >= Self.charactersMin else { throw .tooShort }
        bytes = Array(text.utf8)
    }

    /// Whether both are the same bytes. Not constant-time: both come from one request.
    func isSame(as other: Password) -> Bool { bytes == other.bytes }
}

/// Why a chosen password is refused.
enum WeakPassword: Error, Equatable {
    case tooShort, tooLong

    /// What the user is told.
    var detail: String {
        switch self {
        case .tooShort: "must have at least \(Password.charactersMin) characters"
        case .tooLong: "must have at most \(Password.bytesMax) bytes"
        }
    }
}

extension Password: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "••••" }
    var debugDescription: String { "••••" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
