import Foundation
import Logging
import Shared
import TestSupport
import Testing

@testable import AuthService

@Suite("Delivery of mails", .serialized)
struct MailDeliveryTests {
    private static let ann = EmailAddress("ann@example.com")!

    private static func settings(_ values: [String: String]) throws -> MailSettings {
        var reader = SettingsReader(values: values)
        let settings = MailSettings.read(&reader, page: "https://chat.example.org")
        try reader.finish()
        return try settings.orThrow("settings")
    }

    private static func send(_ values: [String: String]) async throws {
        let settings = try settings(values)
        let message = MailMessage(.passwordReset, to: ann, token: MailToken(), settings: settings)
        try await SMTPClient(settings).send(message)
    }

    @Test("a mail is what RFC 5322 wants, from MAIL_FROM, with a link to PUBLIC_URL")
    func form() async throws {
        try await MailServer.run(["take"]) { server in
            try await Self.send([
                "SMTP_URL": server.url, "MAIL_FROM": "parley@example.org", "PUBLIC_URL": "https://example.org/chat",
            ])
            let mail = try await server.mails(1)[0]
            #expect(mail.sender == "parley@example.org" && mail.receivers == ["ann@example.com"] && !mail.tls)
            #expect(mail.greeting == "example.org")
            let parts = mail.text.components(separatedBy: "\r\n\r\n")
            let header = parts[0].components(separatedBy: "\r\n").map { $0.split(separator: ":")[0] }
            #expect(
                header == [
                    "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
                    "Content-Transfer-Encoding", "Auto-Submitted",
                ])
            #expect(mail.text.contains("\r\nhttps://example.org/chat/#password-reset=\(try mail.token)\r\n"))
            #expect(
                mail.text.wholeMatch(
                    of: /(?s).*\r\nDate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} \+0000\r\n.*/) != nil)
            #expect(mail.text.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 998 })
        }
    }

    @Test("a receiver cannot be two, nor bring a field along")
    func injection() {
        for text in [
            "ann@example.com\r\nBcc: eve@example.com", "ann@example.com>,<eve@example.com", "ann@example.com\n",
            "ann@example.com,eve@example.com", "\"ann\r\n\"@example.com", "ann@example.com\u{0}", "ann@example.com ",
        ] { #expect(EmailAddress(text) == nil) }
        var reader = SettingsReader(values: ["SMTP_URL": "smtp://h", "MAIL_FROM": "a@b.c\r\nBcc: d@e.f"])
        _ = MailSettings.read(&reader, page: "http://a")
        #expect(throws: SettingsError.self) { try reader.finish() }
    }

    @Test("STARTTLS, TLS from the start, and a login, each with a certificate that is checked")
    func security() async throws {
        for flag in ["--tls", "--implicit"] {
            try await MailServer.run(["take", flag, "--login", "us er", "p@ss/w:rd"]) { server in
                let scheme = flag == "--tls" ? "smtp" : "smtps"
                let host = "127.0.0.1:\(server.port)"
                let right = "\(scheme)://us%20er:p%40ss%2Fw%3Ard@\(host)"
                try await Self.send(["SMTP_URL": right, "SMTP_CA_FILE": server.certificate])
                let mail = try await server.mails(1)[0]
                #expect(mail.tls && mail.login)
                let wrong = await #expect(throws: MailFailure.self) {
                    try await Self.send(["SMTP_URL": "\(scheme)://us%20er:wrong@\(host)"])
                }
                #expect(wrong?.isFinal == false, "an operator can put it right")
                let none = await #expect(throws: MailFailure.self) {
                    try await Self.send(["SMTP_URL": "\(scheme)://\(host)", "SMTP_CA_FILE": server.certificate])
                }
                #expect(none?.isFinal == false)
                try await MailServer.run(["take", flag]) { other in
                    let failure = await #expect(throws: MailFailure.self, "another's certificate") {
                        try await Self.send(["SMTP_URL": right, "SMTP_CA_FILE": other.certificate])
                    }
                    #expect(failure?.isFinal == false)
                }
            }
        }
    }

    @Test("what is to be sent over TLS is not sent to a server that has none")
    func noDowngrade() async throws {
        try await MailServer.run(["take", "--tls"]) { secure in
            try await MailServer.run(["take"]) { plain in
                let failure = await #expect(throws: MailFailure.self) {
                    try await Self.send(["SMTP_URL": plain.url, "SMTP_CA_FILE": secure.certificate])
                }
                #expect(failure?.isFinal == false)
            }
        }
    }

    @Test("4xx is for now, 5xx of a receiver for good; nobody there is for now", arguments: [450, 550])
    func refusals(_ code: Int) async throws {
        try await MailServer.run(["refuse", "\(code)", "1"]) { server in
            let failure = await #expect(throws: MailFailure.self) { try await Self.send(["SMTP_URL": server.url]) }
            #expect(failure?.isFinal == (code == 550) && failure?.description.contains("\(code)") == true)
            try await Self.send(["SMTP_URL": server.url])
        }
        let nobody = await #expect(throws: MailFailure.self) { try await Self.send(["SMTP_URL": "smtp://127.0.0.1:1"]) }
        #expect(nobody?.isFinal == false)
    }

    @Test("a server that never answers is left when the service stops; nothing else waits for it")
    func hangs() async throws {
        try await MailServer.run(["hang"]) { server in
            let settings = try Self.settings(["SMTP_URL": server.url])
            let client = SMTPClient(settings)
            let message = MailMessage(.passwordReset, to: Self.ann, token: MailToken(), settings: settings)
            let sending = Task { try await client.send(message) }
            _ = try await server.mails(1)
            client.stop()
            let failure = await #expect(throws: MailFailure.self) { try await sending.value }
            #expect(failure?.isFinal == false)
        }
    }

    @Test("a mail that is not taken is tried again, later and later, and given up after half an hour or so")
    func schedule() {
        let pauses = (1...10).map(MailSchedule.pauseSeconds)
        #expect(pauses == [5, 15, 60, 180, 420, 600, 600, nil, nil, nil])
    }

    @Test("a mail that was refused for now is sent later, one refused for good is given up, and the log says so")
    func again() async throws {
        try await AuthSite.runWithMail("refuse", "451", "2") { site, server in
            _ = try await site.register()
            for number in 1...2 {
                try await server.refusals(number)
                _ = try await polling(for: "the mail to be given back", atMost: .seconds(30)) {
                    let waiting = try await site.count(
                        "select count(*) from auth.mails where lease_until is null and attempt = \(number)")
                    return waiting == 1 ? true : nil
                }
                try await site.database.query("update auth.mails set run_after = clock_timestamp()")
            }
            let mail = try await server.mails(1)[0]
            #expect(try await site.confirmEmail(mail.token).status == 200)
            #expect(try await site.auditEvents().filter { $0 == "email_confirmation_requested" }.count == 1)
            #expect(site.log.text.contains("will be tried again"))
        }
        try await AuthSite.runWithMail("refuse", "550", "1") { site, server in
            _ = try await site.register()
            try await server.refusals(1)
            _ = try await polling(for: "the mail to be given up", atMost: .seconds(30)) {
                try await site.count("select count(*) from auth.mails") == 0 ? true : nil
            }
            #expect(site.log.text.contains("is given up"))
        }
    }

    @Test("bad settings are named, without their secrets")
    func badSettings() {
        for (key, value) in [
            ("SMTP_URL", "http://mail.example.org"), ("SMTP_URL", "smtp://"), ("SMTP_URL", "smtp://tell-nobody@host"),
            ("SMTP_URL", "smtp://host/path"), ("MAIL_FROM", "nobody"), ("PUBLIC_URL", "chat.example.org"),
            ("PUBLIC_URL", "https://a/?q"), ("PUBLIC_URL", "javascript:alert(1)"), ("SMTP_CA_FILE", "/nowhere"),
        ] {
            var reader = SettingsReader(values: ["SMTP_URL": "smtp://host"].merging([key: value]) { $1 })
            _ = MailSettings.read(&reader, page: "https://chat.example.org")
            let error = #expect(throws: SettingsError.self) { try reader.finish() }
            #expect(error?.problems.count == 1 && error?.description.contains(key) == true)
            #expect(error?.description.contains("tell-nobody") == false)
        }
    }
}
