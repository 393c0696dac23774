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
            try await site.refuseAudit()
            let before = try await site.everything()
            let answer = try await call.send(site, one, other)
            #expect(answer.status == 500 && answer.code == "internal_error", "\(answer)")
            #expect(try await site.everything() == before)

            // The same call is in order as soon as it can be audited.
            try await site.database.query("drop trigger test_refuse on auth.audit")
            let events = try await site.auditEvents().count
            #expect(try await call.send(site, one, other).status < 500)
            #expect(try await site.auditEvents().count > events)
        }
    }
}

extension AuthSite {
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
        let tables = ["auth.users", "auth.sessions", "auth.revoked_sessions", "auth.audit"]
        var rows: [String] = []
        for table in tables {
            let read = try await database.read("select t::text from \(unsafeRaw: table) t order by 1")
            rows += try read.map { row -> String in try table + row.decode(String.self) }
        }
        return rows
    }
}
