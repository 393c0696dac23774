import Foundation
import HTTPTypes
import Shared
import TestSupport
import Testing

@testable import AuthService

@Suite("POST /refresh", .serialized)
struct RefreshTests {
    @Test("gives the next access token and the refresh token that replaces the one sent")
    func happy() async throws {
        try await AuthSite.run { site in
            let first = try await site.register()
            let second = try await site.refresh(first.refreshToken).decoded(SessionAnswer.self)
            #expect(second.user.id == first.user.id && second.user.email == "ann@example.com")
            #expect(second.refreshToken != first.refreshToken && second.token != first.token)
            #expect(try await site.send(.get, "/api/profile", token: second.token).status == 200)
            let third = try await site.refresh(second.refreshToken).decoded(SessionAnswer.self)
            #expect(third.refreshToken != second.refreshToken)
            #expect(try await site.count("select count(*) from auth.sessions") == 1)
        }
    }

    @Test("the token just replaced yields the same successor within ten seconds")
    func grace() async throws {
        try await AuthSite.run { site in
            let first = try await site.register()
            let second = try await site.refresh(first.refreshToken).decoded(SessionAnswer.self)
            try await site.age(rotation: 5)
            let again = try await site.refresh(first.refreshToken).decoded(SessionAnswer.self)
            #expect(again.refreshToken == second.refreshToken)
            // The clock of the grace was not wound up by that.
            #expect(
                try await site.count(
                    "select count(*) from auth.sessions where rotated_at < now() - interval '4 seconds'") == 1)
        }
    }

    @Test("the token just replaced, later than that, ends the session and both its tokens")
    func late() async throws {
        try await AuthSite.run { site in
            let first = try await site.register()
            let second = try await site.refresh(first.refreshToken).decoded(SessionAnswer.self)
            try await site.age(rotation: 11)
            let refused = try await site.refresh(first.refreshToken)
            #expect(refused.status == 401 && refused.code == "invalid_refresh_token")
            #expect(try await site.refresh(second.refreshToken).code == "invalid_refresh_token")
            #expect(try await site.send(.get, "/api/profile", token: second.token).code == "invalid_token")
            #expect(try await site.auditEvents() == ["registered", "refreshed", "refresh_reused"])
        }
    }

    @Test("an older token than that ends the session at once")
    func reuse() async throws {
        try await AuthSite.run { site in
            let first = try await site.register()
            let other = try await site.login().decoded(SessionAnswer.self)
            let second = try await site.refresh(first.refreshToken).decoded(SessionAnswer.self)
            let third = try await site.refresh(second.refreshToken).decoded(SessionAnswer.self)
            #expect(try await site.refresh(first.refreshToken).code == "invalid_refresh_token")
            #expect(try await site.refresh(third.refreshToken).code == "invalid_refresh_token")
            #expect(try await site.send(.get, "/api/profile", token: third.token).status == 401)
            #expect(try await site.count("select count(*) from auth.revoked_sessions") == 1)
            // The user's other sessions are not touched.
            #expect(try await site.refresh(other.refreshToken).status == 200)
        }
    }

    @Test("what is no refresh token is refused and ends nothing")
    func unknown() async throws {
        try await AuthSite.run { site in
            let session = try await site.register()
            for token in ["", "x", session.token, RefreshToken().text, session.refreshToken + "A"] {
                let answer = try await site.refresh(token)
                #expect(answer.status == 401 && answer.code == "invalid_refresh_token")
            }
            #expect(try await site.send(.post, "/refresh", raw: Data("{}".utf8)).code == "invalid_body")
            #expect(try await site.refresh(session.refreshToken).status == 200)
        }
    }

    @Test("a session ends when it was idle for REFRESH_TOKEN_DAYS, and after three times that in any case")
    func days() async throws {
        try await AuthSite.run(["REFRESH_TOKEN_DAYS": "2"]) { site in
            let token = try await site.register().refreshToken
            // The times are read one after the other within one statement.
            let isAfter: (SQL, SQL) -> SQL = {
                "abs(extract(epoch from \(sql: $0) - \(sql: $1) * interval '1 day')) < 60"
            }
            let absolute = isAfter("absolute_expires_at - created_at", "6")
            let idle = isAfter("expires_at - last_used_at", "2")
            let count: SQL = "select count(*) from auth.sessions where \(sql: absolute) and \(sql: idle)"
            #expect(try await site.count(count) == 1)
            try await site.database.query("update auth.sessions set expires_at = expires_at - interval '1 day'")
            #expect(try await site.count(count) == 0)
            #expect(try await site.refresh(token).status == 200)
            #expect(try await site.count(count) == 1)
        }
    }

    @Test("an idle session ends, and a busy one at the absolute limit")
    func limits() async throws {
        try await AuthSite.run { site in
            let idle = try await site.register()
            try await site.database.query("update auth.sessions set expires_at = clock_timestamp()")
            #expect(try await site.refresh(idle.refreshToken).code == "invalid_refresh_token")

            let busy = try await site.login().decoded(SessionAnswer.self)
            try await site.database.query(
                """
                update auth.sessions set absolute_expires_at = clock_timestamp() + interval '1 hour',
                    expires_at = clock_timestamp() + interval '1 minute'
                where expires_at > clock_timestamp()
                """)
            #expect(try await site.refresh(busy.refreshToken).status == 200)
            #expect(
                try await site.count(
                    """
                    select count(*) from auth.sessions where expires_at = absolute_expires_at and id = (
                        select max(id) from auth.sessions)
                    """) == 1)
        }
    }

    @Test("fifty refreshes at once with one token have one successor, round after round")
    func race() async throws {
        try await AuthSite.run { site in
            var current = try await site.register().refreshToken
            // Fifty tasks may need more than the ten seconds of grace to get their turns.
            try await site.prolongGrace()
            for _ in 0..<100 {
                let presented = current
                let successors = try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<50 {
                        group.addTask {
                            try await site.refresh(presented).decoded(SessionAnswer.self).refreshToken
                        }
                    }
                    return try await group.reduce(into: Set()) { $0.insert($1) }
                }
                #expect(successors.count == 1)
                current = try #require(successors.first)
                #expect(current != presented)
            }
            #expect(try await site.count("select count(*) from auth.sessions") == 1)
            #expect(try await site.auditEvents().filter { $0 == "refresh_reused" } == [])
        }
    }

    @Test("while the secret rotates, a successor made under the old one is found again")
    func rotation() async throws {
        try await withTestDatabase { _, url in
            let (first, second) = try await AuthSite.run(on: url) { site in
                let first = try await site.register()
                return (first, try await site.refresh(first.refreshToken).decoded(SessionAnswer.self))
            }
            let settings = ["JWT_SECRET": "n7Wq2ZtXb5LkVe9RyUf3HsCj8DmAg6Po", "JWT_SECRET_PREVIOUS": AuthSite.secret]
            try await AuthSite.run(settings, on: url) { site in
                try await site.age(rotation: -60)
                let again = try await site.refresh(first.refreshToken).decoded(SessionAnswer.self)
                #expect(again.refreshToken == second.refreshToken)
                #expect(try await site.send(.get, "/api/profile", token: second.token).status == 200)
                #expect(try await site.refresh(second.refreshToken).status == 200)
            }
        }
    }

    @Test("a session keeps where it was last used from")
    func origin() async throws {
        try await AuthSite.run(over: .live) { site in
            let session = try await site.register()
            var headers = AuthSite.forwarded("198.51.100.7")
            headers[.userAgent] = String(repeating: "é", count: 400)
            _ = try await site.send(
                .post, "/refresh", ["refresh_token": session.refreshToken], headers: headers)
            let (ip, agent) = try await site.database.read("select ip, user_agent from auth.sessions").only
                .decode(String.self, String.self)
            #expect(ip == "198.51.100.7" && agent.utf8.count <= 512)
        }
    }
}

extension AuthSite {
    /// As if the last rotation had been `seconds` earlier.
    func age(rotation seconds: Int) async throws {
        try await database.query(
            "update auth.sessions set rotated_at = rotated_at - make_interval(secs => \(Double(seconds)))")
    }

    /// From now on every rotation counts as an hour younger than it is.
    func prolongGrace() async throws {
        try await database.query(
            """
            create function test_prolong() returns trigger language plpgsql as $$ begin
                new.rotated_at := clock_timestamp() + interval '1 hour';
                return new;
            end $$
            """)
        try await database.query(
            """
            create trigger test_prolong before update of rotated_at on auth.sessions
            for each row execute function test_prolong()
            """)
    }
}
