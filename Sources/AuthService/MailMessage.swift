import Foundation
import Shared

/// What a mail is for; the table's constraints have the same list.
enum MailPurpose: String, CaseIterable, Sendable {
    case passwordReset = "password_reset"
    case emailConfirmation = "email_confirmation"

    /// What the audit trail calls asking for one.
    var requested: AuditEvent {
        switch self {
        case .passwordReset: .passwordResetRequested
        case .emailConfirmation: .emailConfirmationRequested
        }
    }
}

/// The secret in a mail's link: 256 random bits, good for one use within half an hour. The database has SHA-256 of it.
struct MailToken: Sendable {
    static let lifetimeSeconds = 30 * 60
    private static let count = 32

    private let bytes: [UInt8]

    /// A new one.
    init() {
        var generator = SystemRandomNumberGenerator()
        bytes = (0..<Self.count).map { _ in .random(in: .min ... .max, using: &generator) }
    }

    /// Nil when `text` cannot be a token of this service.
    init?(_ text: String) {
        guard text.utf8.count <= 64, let bytes = Base64URL.decode(text.utf8), bytes.count == Self.count else {
            return nil
        }
        self.bytes = bytes
    }

    /// As it stands in the link: base64url.
    var text: String { Base64URL.encode(bytes) }
    var hash: [UInt8] { SHA256.hash(data: bytes) }
}

extension MailToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "MailToken(••••)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// A mail as SMTP carries it (RFC 5322): ASCII, lines that end with CR LF.
///
/// Nothing that a user wrote is in it but the address, and an `EmailAddress` has neither white space nor control
/// characters: no field can be added and no sentence be put into our mouth.
struct MailMessage: Sendable {
    let from: String
    let to: EmailAddress
    /// The whole message, header and body.
    let text: String

    /// - Parameter now: for the field `Date`.
    init(_ purpose: MailPurpose, to: EmailAddress, token: MailToken, settings: MailSettings, now: Date = Date()) {
        (from, self.to) = (settings.from, to)
        let header = [
            "From: Parley <\(settings.from)>", "To: <\(to.text)>", "Subject: \(purpose.subject)",
            "Date: \(Self.date(now))", "Message-ID: <\(UUID().uuidString.lowercased())@\(settings.domain)>",
            "MIME-Version: 1.0", "Content-Type: text/plain; charset=us-ascii", "Content-Transfer-Encoding: 7bit",
            // RFC 3834: nobody's absence is to be answered to us.
            "Auto-Submitted: auto-generated",
        ]
        // In the fragment, which browsers send to no server: it gets into no log and no Referer.
        let link = "\(settings.page)/#\(purpose.fragment)=\(token.text)"
        let minutes = MailToken.lifetimeSeconds / 60
        let body =
            purpose.sentences + [
                "", link, "", "The link works once and for \(minutes) minutes.",
                "If you did not ask for this, you need not do anything.", "",
            ]
        text = (header + [""] + body).joined(separator: "\r\n")
    }

    /// RFC 5322 section 3.3, in UTC.
    private static func date(_ now: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        return formatter.string(from: now)
    }
}

extension MailPurpose {
    fileprivate var subject: String {
        switch self {
        case .passwordReset: "Choose a new password"
        case .emailConfirmation: "Confirm your e-mail address"
        }
    }

    /// What the page knows the link by.
    fileprivate var fragment: String {
        switch self {
        case .passwordReset: "password-reset"
        case .emailConfirmation: "confirm-email"
        }
    }

    fileprivate var sentences: [String] {
        switch self {
        case .passwordReset:
            ["Somebody asked for a new password for your Parley account.", "To choose one, open this link:"]
        case .emailConfirmation:
            ["Somebody made a Parley account with this address.", "To confirm that it is yours, open this link:"]
        }
    }
}
