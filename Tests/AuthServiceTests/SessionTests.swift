import Foundation
import HTTPTypes
import Shared
import TestSupport
import Testing

@testable import AuthService

@Suite("Sessions", .serialized)
struct SessionTests {
    struct Listing: Decodable { let sessions: [ListedSession] }

    @Test("logout ends this session and no other, at once")
    func logout() async throws {
        try await AuthSite.run { site in
            let (one, other) = (try await site.register(), try await site.login().decoded(SessionAnswer.self))
            let answer = try await site.send(.post, "/logout", token: one.token)
            #expect(answer.status == 204 && answer.body.isEmpty)
            let refused = try await site.send(.get, "/api/profile", token: one.token)
            #expect(refused.status == 401 && refused.code == "invalid_token")
            #expect(refused.headers[.wwwAuthenticate] == #"Bearer error="invalid_token""#)
            #expect(try await site.refresh(one.refreshToken).code == "invalid_refresh_token")
            #expect(try await site.send(.post, "/logout", token: one.token).status == 401)
            #expect(try await site.send(.get, "/api/profile", token: other.token).status == 200)
            #expect(try await site.auditEvents() == ["registered", "login_succeeded", "logged_out"])
        }
    }

    @Test("every call of a signed-in user wants a token")
    func tokens() async throws {
        try await AuthSite.run { site in
            let calls: [(HTTPRequestMethod, String)] = [
                (.post, "/logout"), (.get, "/api/profile"), (.patch, "/api/profile"), (.post, "/api/change-password"),
                (.get, "/api/sessions"), (.delete, "/api/sessions/1"), (.delete, "/api/account"),
            ]
            for (method, path) in calls {
                let without = try await site.send(method, path)
                #expect(without.status == 401 && without.code == "missing_token", "\(method) \(path)")
                let wrong = try await site.send(method, path, token: "x.y.z")
                #expect(wrong.status == 401 && wrong.code == "invalid_token", "\(method) \(path)")
            }
        }
    }

    @Test("the list has every living session of the user, last used first, with the fields of the contract")
    func list() async throws {
        try await AuthSite.run { site in
            _ = try await site.register("bob@example.com", name: "Bob")
            let one = try await site.register()
            let other = try await site.send(
                .post, "/login", ["email": "ann@example.com", "password": AuthSite.password],
                headers: [.userAgent: "Browser/1.0"]
            ).decoded(SessionAnswer.self)
            let answer = try await site.send(.get, "/api/sessions", token: one.token)
            let sessions = try answer.decoded(Listing.self).sessions
            #expect(sessions.map(\.current) == [false, true])
            #expect(sessions.map(\.userAgent) == ["Browser/1.0", ""])
            let members = (answer.members["sessions"] as? [[String: Any]])?.first?.keys
            #expect(members.map(Set.init) == ["id", "created_at", "last_used_at", "ip", "user_agent", "current"])

            _ = try await site.refresh(one.refreshToken)
            let after = try await site.send(.get, "/api/sessions", token: other.token).decoded(Listing.self).sessions
            #expect(after.map(\.current) == [false, true] && after.map(\.id) == sessions.reversed().map(\.id))
            #expect(after[0].lastUsedAt > after[0].createdAt)
        }
    }

    @Test("one session ends another of the same user")
    func end() async throws {
        try await AuthSite.run { site in
            let (one, other) = (try await site.register(), try await site.login().decoded(SessionAnswer.self))
            let sessions = try await site.send(.get, "/api/sessions", token: one.token).decoded(Listing.self).sessions
            let id = try #require(sessions.first { !$0.current }?.id)
            #expect(try await site.send(.delete, "/api/sessions/\(id)", token: one.token).status == 204)
            #expect(try await site.send(.get, "/api/profile", token: other.token).status == 401)
            #expect(try await site.refresh(other.refreshToken).status == 401)
            let again = try await site.send(.delete, "/api/sessions/\(id)", token: one.token)
            #expect(again.status == 404 && again.code == "session_not_found")
            #expect(try await site.send(.get, "/api/profile", token: one.token).status == 200)
        }
    }

    @Test("another user's session is as one that does not exist")
    func foreign() async throws {
        try await AuthSite.run { site in
            let ann = try await site.register()
            let bob = try await site.register("bob@example.com", name: "Bob")
            let id = try await site.count("select id from auth.sessions where user_id = \(ann.user.id)")
            let foreign = try await site.send(.delete, "/api/sessions/\(id)", token: bob.token)
            let missing = try await site.send(.delete, "/api/sessions/999999", token: bob.token)
            #expect(foreign.status == 404 && foreign.problem == missing.problem)
            #expect(try await site.send(.get, "/api/profile", token: ann.token).status == 200)
        }
    }

    @Test(
        "an id that is no positive integer is 400",
        arguments: ["0", "-1", "x", "1.5", "9223372036854775808", "%D9%A1", "+1", "1%20"])
    func malformed(_ id: String) async throws {
        try await AuthSite.run { site in
            let token = try await site.register().token
            let answer = try await site.send(.delete, "/api/sessions/\(id)", token: token)
            #expect(answer.status == 400 && answer.code == "invalid_id")
        }
    }

    @Test("a session that ends is noted for both services, with a notification, until its tokens have expired")
    func revocation() async throws {
        try await AuthSite.run { site in
            let session = try await site.register()
            var heard = site.database.listen(to: ["session_revoked"]).makeAsyncIterator()
            #expect(await heard.next() == .listening)
            let sid = try await site.database.read("select sid::text from auth.sessions").only.decode(String.self)
            _ = try await site.send(.post, "/logout", token: session.token)
            #expect(await heard.next() == .notification(channel: "session_revoked", payload: sid))
            let noted = try await site.count(
                """
                select count(*) from auth.revoked_sessions where sid::text = \(sid)
                    and expires_at between now() + interval '930 seconds' and now() + interval '1000 seconds'
                """)
            #expect(noted == 1)
        }
    }

    @Test("a session that one replica ends is refused by the other within a second")
    func replicas() async throws {
        try await withTestDatabase { _, url in
            try await AuthSite.run(on: url) { one in
                try await AuthSite.run(on: url) { other in
                    let session = try await one.register()
                    #expect(try await other.send(.get, "/api/profile", token: session.token).status == 200)
                    _ = try await one.send(.post, "/logout", token: session.token)
                    let loggedOut = ContinuousClock.now
                    var status = 200
                    while status == 200, ContinuousClock.now < loggedOut + .seconds(5) {
                        status = try await other.send(.get, "/api/profile", token: session.token).status
                    }
                    #expect(status == 401 && ContinuousClock.now < loggedOut + .seconds(1))
                    #expect(try await other.refresh(session.refreshToken).status == 401)
                }
            }
        }
    }

    @Test("what has expired is swept, what has not is not")
    func sweep() async throws {
        try await AuthSite.run { site in
            let (old, new) = (try await site.register(), try await site.register("bob@example.com"))
            _ = try await site.send(.post, "/logout", token: new.token)
            let living = try await site.login("bob@example.com").decoded(SessionAnswer.self)
            try await site.database.deleteExpired()
            #expect(try await site.count("select count(*) from auth.sessions") == 2)
            #expect(try await site.count("select count(*) from auth.revoked_sessions") == 1)
            try await site.database.query(
                """
                update auth.sessions set expires_at = now() - interval '1 second', access_until = now()
                where user_id = \(old.user.id)
                """)
            try await site.database.query("update auth.revoked_sessions set expires_at = now() - interval '1 second'")
            try await site.database.deleteExpired()
            #expect(try await site.count("select count(*) from auth.sessions") == 1)
            // Its tokens had expired as well: nobody needs to be told.
            #expect(try await site.count("select count(*) from auth.revoked_sessions") == 0)
            #expect(try await site.refresh(living.refreshToken).status == 200)
        }
    }
}
