import Foundation
import Shared
import TestSupport
import Testing

@testable import AuthService

@Suite("The audit trail")
struct AuditTests {
    /// A call that is to be audited, by a user who is signed in twice.
    struct Call: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let send: @Sendable (AuthSite, _ one: SessionAnswer, _ other: Int) async throws -> Answer
    }

    static let calls: [Call] = [
        Call(testDescription: "register") { site, _, _ in
            let body = ["email": "bob@example.com", "password": AuthSite.password, "name": "Bob"]
            return try await site.send(.post, "/register", body)
        },
        Call(testDescription: "log in") { site, _, _ in try await site.login() },
        Call(testDescription: "fail to log in") { site, _, _ in try await site.login(password: "a wrong password") },
        Call(testDescription: "refresh") { site, one, _ in try await site.refresh(one.refreshToken) },
        Call(testDescription: "log out") { site, one, _ in try await site.send(.post, "/logout", token: one.token) },
        Call(testDescription: "rename") { site, one, _ in
            try await site.send(.patch, "/api/profile", ["name": "Anna"], token: one.token)
        },
        Call(testDescription: "change the password") { site, one, _ in
            try await site.change(from: AuthSite.password, to: AccountTests.newPassword, token: one.token)
        },
        Call(testDescription: "end another session") { site, one, other in
            try await site.send(.delete, "/api/sessions/\(other)", token: one.token)
        },
        Call(testDescription: "delete the account") { site, one, _ in
            try await site.send(.delete, "/api/account", ["password": AuthSite.password], token: one.token)
        },
    ]

    @Test("what cannot be audited does not happen", arguments: calls)
    func atomicity(_ call: Call) async throws {
        try await AuthSite.run { site in
            let one = try await site.register()
            _ = try await site.login()
            let other = try await site.database.read("select max(id) from auth.sessions").only
                .decode(Int.self)
            try await expectNothing(site) { try await call.send(site, one, other) }
        }
    }

    /// A call that needs something first; `prepare` gives what it sends.
    struct PreparedCall: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let prepare:
            @Sendable (AuthSite, _ one: SessionAnswer, MailServer) async throws -> @Sendable () async throws -> Answer
    }

    static let preparedCalls: [PreparedCall] = [
        PreparedCall(testDescription: "use a refresh token again") { site, one, _ in
            let next = try await site.refresh(one.refreshToken).decoded(SessionAnswer.self)
            _ = try await site.refresh(next.refreshToken)
            return { try await site.refresh(one.refreshToken) }
        },
        PreparedCall(testDescription: "confirm the second factor") { site, one, _ in
            let proposed = try await site.propose(one.token)
            let app = try #require(AuthenticatorApp(proposed.secret))
            return { try await site.send(.post, "/api/totp/confirm", ["totp": app.code(site)], token: one.token) }
        },
        PreparedCall(testDescription: "log in with a recovery code") { site, one, _ in
            let codes = try await site.enableSecondFactor(one.token).codes
            return { try await site.login(totp: codes[0]) }
        },
        PreparedCall(testDescription: "fail to log in with a code") { site, one, _ in
            _ = try await site.enableSecondFactor(one.token)
            return { try await site.login(totp: "nonsense") }
        },
        PreparedCall(testDescription: "fail to turn the second factor off") { site, one, _ in
            _ = try await site.enableSecondFactor(one.token)
            return { try await site.send(.delete, "/api/totp", ["totp": "nonsense"], token: one.token) }
        },
        PreparedCall(testDescription: "turn the second factor off") { site, one, _ in
            let codes = try await site.enableSecondFactor(one.token).codes
            return { try await site.send(.delete, "/api/totp", ["totp": codes[0]], token: one.token) }
        },
        PreparedCall(testDescription: "log in too often") { site, _, _ in
            for _ in 1...5 { _ = try await site.login(password: "a wrong password") }
            return { try await site.login() }
        },
        PreparedCall(testDescription: "fail to change the password") { site, one, _ in
            { try await site.change(from: "a wrong password", to: AccountTests.newPassword, token: one.token) }
        },
        PreparedCall(testDescription: "reset the password") { site, _, server in
            try await site.requestReset()
            let token = try await server.mails(2)[1].token
            try await site.waitForMailsToBeForgotten()
            return { try await site.reset(token, to: MailTests.newPassword) }
        },
        PreparedCall(testDescription: "confirm the address") { site, _, server in
            let token = try await server.mails(1)[0].token
            return { try await site.confirmEmail(token) }
        },
    ]

    @Test("what cannot be audited does not happen, also where something goes before it", arguments: preparedCalls)
    func atomicity(_ call: PreparedCall) async throws {
        try await AuthSite.runWithMail("take") { site, server in
            let one = try await site.register()
            _ = try await server.mails(1)
            try await site.waitForMailsToBeForgotten()
            try await expectNothing(site, after: try await call.prepare(site, one, server))
        }
    }

    /// Sends a call twice: while it cannot be audited, and when it can.
    private func expectNothing(_ site: AuthSite, after call: @Sendable () async throws -> Answer) async throws {
        try await site.refuseAudit()
        let before = try await site.everything()
        let answer = try await call()
        #expect(answer.status == 500 && answer.code == "internal_error", "\(answer)")
        #expect(try await site.everything() == before)

        // The same call is in order as soon as it can be audited.
        try await site.database.query("drop trigger test_refuse on auth.audit")
        let events = try await site.auditEvents().count
        #expect(try await call().status < 500)
        #expect(try await site.auditEvents().count > events)
    }
}

extension AuthSite {
    /// A mail that was sent is still in the queue for a moment.
    fileprivate func waitForMailsToBeForgotten() async throws {
        _ = try await polling(for: "an empty queue of mails", atMost: .seconds(300)) {
            try await count("select count(*) from auth.mails") == 0 ? true : nil
        }
    }

    /// From now on no row comes into the audit trail.
    fileprivate func refuseAudit() async throws {
        try await database.query(
            """
            create function test_refuse() returns trigger language plpgsql as $$ begin
                raise exception 'the audit trail is full';
            end $$
            """)
        try await database.query(
            "create trigger test_refuse before insert on auth.audit for each row execute function test_refuse()")
    }

    /// The rows that a user's calls are about, as text.
    fileprivate func everything() async throws -> [String] {
        let tables = [
            "auth.users", "auth.sessions", "auth.revoked_sessions", "auth.second_factors", "auth.recovery_codes",
            "auth.login_attempts", "auth.address_windows", "auth.mails", "auth.mail_tokens", "auth.audit",
        ]
        var rows: [String] = []
        for table in tables {
            let read = try await database.read("select t::text from \(unsafeRaw: table) t order by 1")
            rows += try read.map { row -> String in try table + row.decode(String.self) }
        }
        return rows
    }
}
