import Foundation
import HTTPTypes
import Shared
import TestSupport
import Testing

@testable import AuthService

@Suite("POST /login", .serialized)
struct LoginTests {
    @Test("signs in with the address in any case")
    func happy() async throws {
        try await AuthSite.run { site in
            let registered = try await site.register()
            let session = try await site.login("ANN@Example.com").decoded(SessionAnswer.self)
            #expect(session.user.id == registered.user.id && session.refreshToken != registered.refreshToken)
            #expect(try await site.send(.get, "/api/profile", token: session.token).status == 200)
            #expect(try await site.auditEvents() == ["registered", "login_succeeded"])
        }
    }

    @Test("an unknown address, no address and a password too long are answered as a wrong password is")
    func sameAnswer() async throws {
        try await AuthSite.run { site in
            _ = try await site.register()
            func login(_ email: String, _ password: String) async throws -> Answer {
                try await site.send(
                    .post, "/login", ["email": email, "password": password],
                    headers: [HTTPField.Name("X-Request-Id")!: "the-same"])
            }
            let wrong = try await login("ann@example.com", "wrong password")
            #expect(wrong.status == 401 && wrong.code == "invalid_credentials")
            #expect(wrong.members["detail"] as? String == "invalid credentials")
            let others = [
                try await login("nobody@example.com", "wrong password"),
                try await login("no address", "wrong password"),
                try await login("ann@example.com", String(repeating: "x", count: 1_025)),
                try await login("ann@example.com", ""),
            ]
            for other in others {
                #expect(other.status == 401 && other.text == wrong.text)
                #expect(other.headers == wrong.headers)
            }
        }
    }

    @Test("an unknown address costs the same hash")
    func sameTime() async throws {
        // So dear that everything else is little beside it, also on a machine with other work.
        var dear = PasswordHasher.Cost()
        dear.passes = 10
        try await AuthSite.run(hashCost: dear) { site in
            _ = try await site.register()
            let clock = ContinuousClock()
            var ratios: [Double] = []
            // Other tests run at the same time: the first of four pairs that is alike counts.
            for number in 0..<4 where !ratios.contains(where: { (1 / 3...3).contains($0) }) {
                let known = try await clock.measure { _ = try await site.login(password: "wrong password") }
                let unknown = try await clock.measure { _ = try await site.login("no\(number)@example.com") }
                ratios.append(unknown / known)
            }
            #expect(ratios.contains { (1 / 3...3).contains($0) }, "\(ratios)")
        }
    }

    @Test("a hash made at a lower cost is replaced at the next sign-in, and the password still works")
    func rehash() async throws {
        try await withTestDatabase { _, url in
            let stored: SQL = "select password_hash from auth.users"
            let old = try await AuthSite.run(on: url) { site in
                _ = try await site.register()
                return try await site.database.read(stored).only.decode(String.self)
            }
            var raised = PasswordHasherTests.cheap
            raised.passes = 2
            try await AuthSite.run(on: url, hashCost: raised) { site in
                #expect(try await site.login(password: "wrong password").status == 401)
                #expect(try await site.database.read(stored).only.decode(String.self) == old)
                #expect(try await site.login().status == 200)
                let new = try await site.database.read(stored).only.decode(String.self)
                #expect(new != old && new.contains("t=2"))
                #expect(try await site.login().status == 200)
                #expect(try await site.database.read(stored).only.decode(String.self) == new)
                #expect(try await site.auditEvents().filter { $0 == "password_rehashed" }.count == 1)
            }
        }
    }

    @Test("a sign-in whose password is changed while it is checked gets no session")
    func changedMeanwhile() async throws {
        try await AuthSite.run { site in
            let session = try await site.register()
            let account = try #require(try await site.database.account(id: session.user.id))
            try await site.database.query("update auth.users set password_hash = '$argon2id$other'")
            let sid = try await site.database.startSession(
                of: account, with: RefreshToken(), limits: SessionLimits(accessTokenSeconds: 900, idleDays: 30),
                event: .loginSucceeded, RequestOrigin(address: "192.0.2.1", userAgent: "", requestID: "r"))
            #expect(sid == nil)
            #expect(try await site.count("select count(*) from auth.sessions") == 1)
        }
    }

    @Test("a user has a hundred sessions at most: the one that was idle for longest ends")
    func sessionsAreBounded() async throws {
        try await AuthSite.run { site in
            let first = try await site.register()
            try await site.database.query(
                """
                insert into auth.sessions (user_id, selector_hash, refresh_hash, expires_at, absolute_expires_at,
                    access_until, ip, user_agent)
                select \(first.user.id), sha256(n::text::bytea), sha256(n::text::bytea), now() + '1 day',
                    now() + '1 day',
                    now() + '1 hour', '', ''
                from generate_series(1, 99) as n
                """)
            #expect(try await site.login().status == 200)
            #expect(try await site.count("select count(*) from auth.sessions") == 100)
            #expect(try await site.count("select count(*) from auth.revoked_sessions") == 1)
            #expect(try await site.refresh(first.refreshToken).code == "invalid_refresh_token")
        }
    }
}
