import Foundation
import HTTPTypes
import Shared
import TestSupport
import Testing

@testable import AuthService

@Suite("Mails", .serialized)
struct MailTests {
    static let newPassword = "another horse battery"

    @Test("a forgotten password is replaced by the link of a mail; every session ends, and the link works once")
    func passwordReset() async throws {
        try await AuthSite.runWithMail("take") { site, server in
            let session = try await site.register()
            _ = try await server.mails(1)
            try await site.requestReset("Ann@Example.com")
            let mail = try await server.mails(2)[1]
            #expect(mail.receivers == ["ann@example.com"] && mail.text.contains("Subject: Choose a new password\r\n"))
            let token = try mail.token
            let weak = try await site.reset(token, to: "short")
            #expect(weak.status == 422 && weak.code == "weak_password")
            #expect(try await site.login().status == 200)
            let answer = try await site.reset(token, to: Self.newPassword)
            #expect(answer.status == 200 && answer.text == #"{"message":"password updated successfully"}"#)
            #expect(try await site.send(.get, "/api/profile", token: session.token).code == "invalid_token")
            #expect(try await site.refresh(session.refreshToken).status == 401)
            #expect(try await site.count("select count(*) from auth.sessions") == 0)
            #expect(try await site.login().status == 401)
            #expect(try await site.login(password: Self.newPassword).status == 200)
            #expect(try await site.reset(token, to: "yet another one").code == "invalid_mail_token")
            let events = try await site.auditEvents()
            #expect(events.contains("password_reset_requested") && events.contains("password_reset"))
        }
    }

    @Test("of parallel uses of one link one changes the password, and every other link of the user is void")
    func once() async throws {
        try await AuthSite.runWithMail("take") { site, server in
            _ = try await site.register()
            for _ in 0..<2 { try await site.requestReset() }
            let tokens = try await server.mails(3).dropFirst().map { try $0.token }
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<4 {
                    group.addTask { try await site.reset(tokens[0], to: "password number \(number)").status }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [200: 1, 422: 3])
            #expect(try await site.reset(tokens[1], to: Self.newPassword).code == "invalid_mail_token")
        }
    }

    @Test("a link of another kind, an expired one and nonsense are refused")
    func badTokens() async throws {
        try await AuthSite.runWithMail("take") { site, server in
            _ = try await site.register()
            let confirmation = try await server.mails(1)[0].token
            #expect(try await site.reset(confirmation, to: Self.newPassword).code == "invalid_mail_token")
            #expect(try await site.confirmEmail("nonsense").code == "invalid_mail_token")
            #expect(try await site.confirmEmail(MailToken().text).code == "invalid_mail_token")
            let lifetime = try await site.count(
                "select round(extract(epoch from expires_at - clock_timestamp()))::bigint from auth.mail_tokens")
            #expect((1_500...1_800).contains(lifetime))
            try await site.database.query("update auth.mail_tokens set expires_at = clock_timestamp()")
            #expect(try await site.confirmEmail(confirmation).code == "invalid_mail_token")
            try await site.database.deleteExpired()
            #expect(try await site.count("select count(*) from auth.mail_tokens") == 0)
        }
    }

    @Test("a registration sends a mail that confirms the address; it can be asked for again until then")
    func confirmation() async throws {
        try await AuthSite.runWithMail("take") { site, server in
            let token = try await site.register().token
            #expect(try await server.mails(1)[0].text.contains("Subject: Confirm your e-mail address\r\n"))
            #expect(try await site.send(.post, "/api/confirm-email", token: token).status == 202)
            let second = try await server.mails(2)[1].token
            let answer = try await site.confirmEmail(second)
            #expect(answer.status == 200 && answer.text == #"{"message":"e-mail address confirmed"}"#)
            #expect(try await site.confirmEmail(second).code == "invalid_mail_token")
            let again = try await site.send(.post, "/api/confirm-email", token: token)
            #expect(again.status == 409 && again.code == "email_already_confirmed")
            #expect(try await site.auditEvents().filter { $0.hasPrefix("email_") }.count == 3)
        }
    }

    @Test("who asks cannot tell whether somebody has the address: the same answer, the same rows, and no look at users")
    func unknown() async throws {
        try await AuthSite.runWithMail("refuse", "450", "1000") { site, server in
            _ = try await site.register()
            try await server.refusals(1)
            try await site.database.query("delete from auth.mails")
            try await site.database.query(
                """
                create function auth.stop() returns trigger language plpgsql as
                $$ begin new.run_after = 'infinity'; return new; end $$
                """)
            try await site.database.query(
                "create trigger stop before insert on auth.mails for each row execute function auth.stop()")
            let known = try await site.requestReset("ann@example.com")
            let unknown = try await site.requestReset("nobody@example.com")
            let nonsense = try await site.requestReset("no address")
            for answer in [unknown, nonsense] {
                #expect(answer.status == 202 && answer.text == known.text && answer.body.isEmpty)
                #expect(Set(answer.headers.map(\.name)) == Set(known.headers.map(\.name)))
            }
            let rows = try await site.database.read("select purpose, email from auth.mails order by id").map {
                try $0.decode(String.self, String.self)
            }
            #expect(rows.map(\.1) == ["ann@example.com", "nobody@example.com"])
            #expect(Set(rows.map(\.0)) == ["password_reset"])
            try await site.database.query("drop trigger stop on auth.mails")
            try await site.database.query("update auth.mails set run_after = clock_timestamp()")
            _ = try await polling(for: "the mail to nobody to be dropped", atMost: .seconds(30)) {
                try await site.count("select count(*) from auth.mails where email = 'nobody@example.com'") == 0
                    ? true : nil
            }
            #expect(try await site.auditEvents().filter { $0 == "password_reset_requested" }.count == 1)
        }
    }

    @Test("an address is told when it asks too often; an account is sent five mails an hour, whoever asks")
    func throttled() async throws {
        try await AuthSite.runWithMail("take", over: .live) { site, server in
            _ = try await site.register()
            for number in 0..<7 {
                #expect(try await site.requestReset(from: "192.0.2.\(number)").status == 202)
            }
            _ = try await server.mails(6)
            #expect(try await site.count("select count(*) from auth.mails") <= 1)
            #expect(try await site.count("select count(*) from auth.mail_tokens where purpose = 'password_reset'") == 5)
            for number in 0..<20 {
                #expect(try await site.requestReset("no\(number)@example.com", from: "198.51.100.1").status == 202)
            }
            let refused = try await site.requestReset("no20@example.com", from: "198.51.100.1")
            #expect(refused.status == 429 && refused.code == "too_many_attempts")
            #expect((1...3_600).contains(Int(refused.headers[.retryAfter] ?? "") ?? 0))
        }
    }

    @Test("a second factor stays on when the password is reset")
    func secondFactorStays() async throws {
        try await AuthSite.runWithMail("take") { site, server in
            let token = try await site.register().token
            _ = try await site.enableSecondFactor(token)
            try await site.requestReset()
            #expect(try await site.reset(try await server.mails(2)[1].token, to: Self.newPassword).status == 200)
            #expect(try await site.login(password: Self.newPassword).code == "totp_required")
        }
    }

    @Test("without SMTP_URL these paths are not there, /readyz says so, and registrations ask for no mail")
    func off() async throws {
        try await AuthSite.run { site in
            let token = try await site.register().token
            for path in ["/password-reset", "/password-reset/confirm", "/confirm-email"] {
                let answer = try await site.send(.post, path, ["email": "ann@example.com"])
                #expect(answer.status == 404 && answer.code == "not_found")
            }
            #expect(try await site.send(.post, "/api/confirm-email", token: token).status == 404)
            let ready = try await site.send(.get, "/readyz")
            #expect(ready.status == 200 && ready.text.contains("mail: off\n"))
            #expect(try await site.count("select count(*) from auth.mails") == 0)
        }
    }
}

extension AuthSite {
    /// With an SMTP server of the test's own.
    static func runWithMail<R: Sendable>(
        _ behaviour: String..., over setup: TestingSetup = .router,
        _ test: @Sendable (AuthSite, MailServer) async throws -> R
    ) async throws -> R {
        try await MailServer.run(behaviour) { server in
            try await run(["SMTP_URL": server.url, "PUBLIC_URL": "https://chat.example.org/"], over: setup) { site in
                try await test(site, server)
            }
        }
    }

    @discardableResult
    func requestReset(_ email: String = "ann@example.com", from address: String? = nil) async throws -> Answer {
        try await send(.post, "/password-reset", ["email": email], headers: Self.forwarded(address))
    }

    func reset(_ token: String, to password: String) async throws -> Answer {
        try await send(.post, "/password-reset/confirm", ["token": token, "new_password": password])
    }

    func confirmEmail(_ token: String) async throws -> Answer {
        try await send(.post, "/confirm-email", ["token": token])
    }
}
