import Foundation
import HTTPTypes
import Shared
import TestSupport
import Testing

@testable import AuthService

@Suite("The own account", .serialized)
struct AccountTests {
    static let newPassword = "another horse battery"

    @Test("the profile has the fields of the contract, its time in UTC with microseconds")
    func profile() async throws {
        try await AuthSite.run { site in
            let session = try await site.register()
            let answer = try await site.send(.get, "/api/profile", token: session.token)
            let profile = try answer.decoded(Profile.self)
            #expect(Set(answer.members.keys) == ["user_id", "email", "name", "created_at"])
            #expect(profile.userID == session.user.id && profile.email == "ann@example.com" && profile.name == "Ann")
            let time = answer.members["created_at"] as? String ?? ""
            #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/) != nil)
        }
    }

    @Test("the name can be changed; it is trimmed, and an unacceptable one changes nothing")
    func rename() async throws {
        try await AuthSite.run { site in
            let token = try await site.register().token
            let renamed = try await site.send(.patch, "/api/profile", ["name": " Анна "], token: token)
            #expect(try renamed.decoded(Profile.self).name == "Анна")
            #expect(
                try await site.send(.patch, "/api/profile", ["name": "a\u{7}"], token: token).code == "invalid_name")
            #expect(try await site.send(.patch, "/api/profile", [:], token: token).code == "invalid_body")
            let profile = try await site.send(.get, "/api/profile", token: token).decoded(Profile.self)
            #expect(profile.name == "Анна")
            #expect(try await site.auditEvents().last == "profile_changed")
        }
    }

    @Test("a changed name is seen at once here, and on another replica as soon as the notification arrives")
    func renameElsewhere() async throws {
        try await withTestDatabase { _, url in
            try await AuthSite.run(on: url) { one in
                try await AuthSite.run(on: url) { other in
                    let token = try await one.register().token
                    for name in ["Anna", "Anja", "Anita"] {
                        for site in [one, other] {
                            #expect(try await site.send(.get, "/api/profile", token: token).status == 200)
                        }
                        #expect(try await one.send(.patch, "/api/profile", ["name": name], token: token).status == 200)
                        let here = try await one.send(.get, "/api/profile", token: token).decoded(Profile.self)
                        #expect(here.name == name)
                        _ = try await polling(for: "the name elsewhere", atMost: .seconds(10)) {
                            try await other.send(.get, "/api/profile", token: token).decoded(Profile.self).name == name
                                ? true : nil
                        }
                    }
                }
            }
        }
    }

    @Test("a changed password ends every other session, and only the new one signs in")
    func changePassword() async throws {
        try await AuthSite.run { site in
            let (one, other) = (try await site.register(), try await site.login().decoded(SessionAnswer.self))
            let answer = try await site.change(from: AuthSite.password, to: Self.newPassword, token: one.token)
            #expect(answer.status == 200 && answer.text == #"{"message":"password updated successfully"}"#)
            #expect(try await site.send(.get, "/api/profile", token: other.token).code == "invalid_token")
            #expect(try await site.refresh(other.refreshToken).status == 401)
            #expect(try await site.send(.get, "/api/profile", token: one.token).status == 200)
            #expect(try await site.refresh(one.refreshToken).status == 200)
            #expect(try await site.login().status == 401)
            #expect(try await site.login(password: Self.newPassword).status == 200)
        }
    }

    @Test("a wrong old password, a weak new one and the same one are refused, and change nothing")
    func changeRefused() async throws {
        try await AuthSite.run { site in
            let token = try await site.register().token
            let wrong = try await site.change(from: "wrong password", to: Self.newPassword, token: token)
            #expect(wrong.status == 401 && wrong.code == "invalid_old_password")
            let weak = try await site.change(from: AuthSite.password, to: "short", token: token)
            #expect(weak.status == 422 && weak.code == "weak_password")
            let same = try await site.change(from: AuthSite.password, to: AuthSite.password, token: token)
            #expect(same.status == 422 && same.code == "same_password")
            #expect(same.badFields == ["new_password"])
            let sameWrong = try await site.change(from: Self.newPassword, to: Self.newPassword, token: token)
            #expect(sameWrong.code == "invalid_old_password")
            #expect(try await site.login().status == 200)
            #expect(
                try await site.auditEvents() == [
                    "registered", "password_refused", "password_refused", "login_succeeded",
                ])
        }
    }

    @Test("a password that only looks like the old one is another one")
    func changeToOtherBytes() async throws {
        try await AuthSite.run { site in
            let token = try await site.register().token
            let (composed, decomposed) = ("caf\u{e9} 12345", "cafe\u{301} 12345")
            #expect(try await site.change(from: AuthSite.password, to: composed, token: token).status == 200)
            #expect(try await site.change(from: composed, to: decomposed, token: token).status == 200)
            #expect(try await site.login(password: decomposed).status == 200)
        }
    }

    @Test("a stolen access token is no way to guess the password: failures count as failed sign-ins")
    func throttled() async throws {
        try await AuthSite.run { site in
            let token = try await site.register().token
            for _ in 0..<5 {
                let answer = try await site.change(from: "wrong password", to: Self.newPassword, token: token)
                #expect(answer.code == "invalid_old_password")
            }
            try await site.stretchPauses()
            let change = try await site.change(from: AuthSite.password, to: Self.newPassword, token: token)
            #expect(change.status == 429 && change.code == "too_many_attempts" && change.headers[.retryAfter] != nil)
            let deletion = try await site.send(
                .delete, "/api/account", ["password": AuthSite.password], token: token)
            #expect(deletion.status == 429)
            #expect(try await site.login().status == 429)
        }
    }

    @Test("of changes that race, one wins, and the password is its")
    func changeRace() async throws {
        try await AuthSite.run { site in
            let token = try await site.register().token
            let statuses = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                for number in 0..<4 {
                    group.addTask {
                        let to = "new password \(number)"
                        return (number, try await site.change(from: AuthSite.password, to: to, token: token).status)
                    }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1.0] = $1.1 }
            }
            let winners = statuses.filter { $0.value == 200 }.keys
            #expect(winners.count == 1 && statuses.values.filter { $0 == 401 }.count == 3)
            let winner = try #require(winners.first)
            #expect(try await site.login(password: "new password \(winner)").status == 200)
        }
    }

    @Test("a deleted account is gone with its sessions and conversations; the address is free again")
    func delete() async throws {
        try await AuthSite.run { site in
            let (ann, bob) = (try await site.register(), try await site.register("bob@example.com"))
            for user in [ann.user.id, bob.user.id] {
                try await site.database.query(
                    "insert into chat.conversations (user_id, title) values (\(user), 'About nothing')")
            }
            let wrong = try await site.send(.delete, "/api/account", ["password": "wrong password"], token: ann.token)
            #expect(wrong.status == 401 && wrong.code == "invalid_password")
            let answer = try await site.send(.delete, "/api/account", ["password": AuthSite.password], token: ann.token)
            #expect(answer.status == 204 && answer.body.isEmpty)

            #expect(try await site.send(.get, "/api/profile", token: ann.token).code == "invalid_token")
            #expect(try await site.refresh(ann.refreshToken).status == 401)
            #expect(try await site.login().code == "invalid_credentials")
            #expect(try await site.count("select count(*) from chat.conversations") == 1)
            #expect(try await site.count("select count(*) from auth.sessions") == 1)
            #expect(try await site.count("select count(*) from auth.revoked_sessions") == 1)
            let events = try await site.auditEvents()
            #expect(events.contains("account_deleted"))

            let again = try await site.register()
            #expect(again.user.id != ann.user.id)
            #expect(try await site.send(.get, "/api/profile", token: bob.token).status == 200)
        }
    }

    @Test("a token that outlives its account finds nothing")
    func outlived() async throws {
        try await AuthSite.run { site in
            let session = try await site.register()
            // As another replica would, without telling this one: no trigger, no notification.
            try await site.database.withTransaction { transaction in
                try await transaction.query("set local session_replication_role = replica")
                try await transaction.query("delete from auth.users")
            }
            for (method, path, body) in [
                (HTTPRequestMethod.get, "/api/profile", [:]), (.patch, "/api/profile", ["name": "Ann"]),
                (.delete, "/api/account", ["password": AuthSite.password]),
            ] {
                let answer = try await site.send(method, path, method == .get ? nil : body, token: session.token)
                #expect(answer.status == 401 && answer.code == "invalid_token")
            }
        }
    }
}

extension AuthSite {
    func change(from old: String, to new: String, token: String) async throws -> Answer {
        try await send(
            .post, "/api/change-password", ["old_password": old, "new_password": new], token: token)
    }
}
