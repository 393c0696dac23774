import Foundation
import Shared

/// How mails are sent, and where the links in them lead.
struct MailSettings: Sendable {
    /// `smtp://host:port` or `smtps://host:port`, without user and password.
    let server: String
    let user: String?
    let password: Secret?
    /// The server runs on this machine: nobody is between us and it.
    let isLocal: Bool
    /// A file of certificates (PEM) that the server's is checked against in the place of the system's.
    let certificates: String?
    /// The sender's address.
    let from: String
    /// The address of the page that links lead to, without a slash at its end.
    let page: String

    /// The part of the sender's address behind the `@`: what this service calls itself.
    var domain: String { from.split(separator: "@").last.map(String.init) ?? from }

    /// Reads `SMTP_URL`, `SMTP_CA_FILE`, `MAIL_FROM` and `PUBLIC_URL`.
    /// - Parameter page: where the page is when `PUBLIC_URL` does not say.
    /// - Returns: nil when there is no `SMTP_URL`: no mail is sent then.
    static func read(_ reader: inout SettingsReader, page: String?) -> MailSettings? {
        let url = reader.optionalSecret("SMTP_URL")
        let certificates = reader.optional("SMTP_CA_FILE")
        let sender = reader.optional("MAIL_FROM")
        let page = reader.optional("PUBLIC_URL") ?? page ?? ""
        guard let url else { return nil }
        guard let parts = URLComponents(string: url.value), let host = parts.host, !host.isEmpty,
            let scheme = parts.scheme?.lowercased(), ["smtp", "smtps"].contains(scheme), parts.query == nil,
            ["", "/"].contains(parts.path), (parts.user == nil) == (parts.password == nil)
        else {
            reader.report("SMTP_URL", "must look like smtp://user:password@host:587 or smtps://host:465")
            return nil
        }
        guard let pageHost = Self.host(ofPage: page) else {
            reader.report("PUBLIC_URL", "must be the address of the page, such as https://chat.example.org")
            return nil
        }
        if let sender, EmailAddress(sender) == nil { reader.report("MAIL_FROM", "must be an e-mail address") }
        if let certificates, !FileManager.default.isReadableFile(atPath: certificates) {
            reader.report("SMTP_CA_FILE", "must be a file that can be read")
        }
        return MailSettings(
            server: scheme + "://" + host + (parts.port.map { ":\($0)" } ?? ""), user: parts.user,
            password: parts.password.map(Secret.init), isLocal: isLocal(host), certificates: certificates,
            from: sender ?? "no-reply@" + pageHost, page: page.hasSuffix("/") ? String(page.dropLast()) : page)
    }

    private static func isLocal(_ host: String) -> Bool {
        ["localhost", "::1", "[::1]"].contains(host.lowercased()) || IPAddress(host)?.bytes.first == 127
    }

    /// Nil when `page` cannot stand in a mail as it is.
    private static func host(ofPage page: String) -> String? {
        guard page.utf8.count <= 512, page.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x3C }),
            let parts = URLComponents(string: page), ["http", "https"].contains(parts.scheme?.lowercased()),
            parts.fragment == nil, parts.query == nil, let host = parts.host, !host.isEmpty
        else { return nil }
        return host
    }
}
