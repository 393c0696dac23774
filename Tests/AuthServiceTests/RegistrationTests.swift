import Foundation
import Shared
import Testing

@testable import AuthService

@Suite("POST /register", .serialized)
struct RegistrationTests {
    @Test("makes an account and signs in, with the fields of the contract")
    func happy() async throws {
        try await AuthSite.run { site in
            let body = ["email": "Ann@Example.COM", "password": AuthSite.password, "name": "  Ann  "]
            let answer = try await site.send(.post, "/register", body)
            let session = try answer.decoded(SessionAnswer.self, status: 201)
            #expect(Set(answer.members.keys) == ["token", "token_type", "expires_in", "refresh_token", "user"])
            #expect(Set((answer.members["user"] as? [String: Any] ?? [:]).keys) == ["id", "email", "name"])
            #expect(session.tokenType == "Bearer" && session.expiresIn == 900)
            #expect(session.user.email == "ann@example.com" && session.user.name == "Ann" && session.user.id > 0)
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect(try await site.send(.get, "/api/profile", token: session.token).status == 200)
            #expect(try await site.auditEvents() == ["registered"])
        }
    }

    @Test(
        "what is readable but not acceptable is 422 with the code of the member",
        arguments: [
            ("email", "not an address", "invalid_email"), ("email", "аnn@example.com", "invalid_email"),
            ("password", "1234567", "weak_password"),
            ("password", String(repeating: "x", count: 1_025), "weak_password"),
            ("name", " \t ", "invalid_name"), ("name", "Ann\nSmith", "invalid_name"),
            ("name", String(repeating: "x", count: 256), "invalid_name"),
        ])
    func refused(_ member: String, _ value: String, _ code: String) async throws {
        try await AuthSite.run { site in
            var body = ["email": "ann@example.com", "password": AuthSite.password, "name": "Ann"]
            body[member] = value
            let answer = try await site.send(.post, "/register", body)
            #expect(answer.status == 422 && answer.code == code)
            #expect(answer.badFields == [member])
            #expect(answer.headers[.contentType] == "application/problem+json")
            #expect(try await site.count("select count(*) from auth.users") == 0)
        }
    }

    @Test(
        "what is not readable is 400",
        arguments: [
            #"{"email":"ann@example.com","name":"Ann"}"#, #"{"email":1,"password":"12345678","name":"Ann"}"#,
            #"{"email":"ann@example.com","password":"1234\u00005678","name":"Ann"}"#,
            #"{"email":"ann@example.com","password":"12345678\ud800","name":"Ann"}"#,
            #"{"email":"a@example.com","email":"b@example.com","password":"12345678","name":"Ann"}"#, "[]", "", "{",
        ])
    func unreadable(_ body: String) async throws {
        try await AuthSite.run { site in
            let answer = try await site.send(.post, "/register", raw: Data(body.utf8))
            #expect(answer.status == 400 && ["invalid_body", "invalid_json"].contains(answer.code))
        }
    }

    @Test("every missing member is named at once")
    func missing() async throws {
        try await AuthSite.run { site in
            let answer = try await site.send(.post, "/register", raw: Data("{}".utf8))
            let errors = answer.members["errors"] as? [[String: String]] ?? []
            #expect(
                answer.code == "invalid_body" && errors.compactMap { $0["field"] } == ["email", "password", "name"])
        }
    }

    @Test("a body of another type is 415")
    func mediaType() async throws {
        try await AuthSite.run { site in
            let answer = try await site.send(
                .post, "/register", raw: Data("email=a".utf8), headers: [.contentType: "text/plain"])
            #expect(answer.status == 415 && answer.code == "unsupported_media_type")
        }
    }

    @Test("an address that is taken is 409, in whatever case it is typed")
    func taken() async throws {
        try await AuthSite.run { site in
            _ = try await site.register("ann@example.com")
            let body = ["email": "ANN@example.com", "password": "another password", "name": "Other"]
            let answer = try await site.send(.post, "/register", body)
            #expect(answer.status == 409 && answer.code == "email_taken")
            #expect(answer.members["detail"] as? String == "email already exists")
            #expect(try await site.login(password: "another password").status == 401)
        }
    }

    @Test("of fifty registrations of one address at once, one is 201 and 49 are 409")
    func race() async throws {
        try await AuthSite.run { site in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<50 {
                    let body = ["email": "ann@example.com", "password": AuthSite.password, "name": "Ann \(number)"]
                    group.addTask { try await site.send(.post, "/register", body).status }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [201: 1, 409: 49])
            #expect(try await site.count("select count(*) from auth.users") == 1)
            #expect(try await site.count("select count(*) from auth.sessions") == 1)
        }
    }

    @Test("a password of 1,024 bytes counts to its last byte")
    func longPassword() async throws {
        try await AuthSite.run { site in
            let password = String(repeating: "é", count: 512)
            let body = ["email": "ann@example.com", "password": password, "name": "Ann"]
            _ = try await site.send(.post, "/register", body).decoded(SessionAnswer.self, status: 201)
            #expect(try await site.login(password: password).status == 200)
            #expect(try await site.login(password: String(password.dropLast()) + "è").status == 401)
            #expect(try await site.login(password: password + "é").status == 401)
        }
    }

    @Test("REGISTRATIONS_PER_HOUR accounts from one address; what was refused has made nothing")
    func limited() async throws {
        try await AuthSite.run(["REGISTRATIONS_PER_HOUR": "3"], over: .live) { site in
            func status(_ email: String, from address: String) async throws -> Answer {
                let body = ["email": email, "password": AuthSite.password, "name": "Ann"]
                return try await site.send(.post, "/register", body, headers: AuthSite.forwarded(address))
            }
            for number in 0..<3 { #expect(try await status("a\(number)@example.com", from: "192.0.2.1").status == 201) }
            let refused = try await status("a3@example.com", from: "192.0.2.1")
            #expect(refused.status == 429 && refused.code == "too_many_registrations")
            let seconds = try #require(Int(refused.headers[.retryAfter] ?? ""))
            #expect((3_500...3_600).contains(seconds))
            #expect(try await status("b0@example.com", from: "192.0.2.2").status == 201)
            #expect(try await site.count("select count(*) from auth.users") == 4)

            try await site.database.query("update auth.address_windows set started_at = started_at - interval '1 hour'")
            #expect(try await status("a3@example.com", from: "192.0.2.1").status == 201)
        }
    }

    @Test("the limit holds for registrations that race")
    func limitedRace() async throws {
        try await AuthSite.run(["REGISTRATIONS_PER_HOUR": "5"]) { site in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<20 {
                    let body = ["email": "a\(number)@example.com", "password": AuthSite.password, "name": "Ann"]
                    group.addTask { try await site.send(.post, "/register", body).status }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [201: 5, 429: 15])
            #expect(try await site.count("select count(*) from auth.users") == 5)
        }
    }

    @Test("asking who is registered is limited to ten times the registrations")
    func enumeration() async throws {
        try await AuthSite.run(["REGISTRATIONS_PER_HOUR": "1"]) { site in
            try await site.database.query(
                """
                insert into auth.users (email, name, password_hash) values ('ann@example.com', 'Ann', '$argon2id$none')
                """)
            let body = ["email": "ann@example.com", "password": AuthSite.password, "name": "Ann"]
            for _ in 0..<10 { #expect(try await site.send(.post, "/register", body).status == 409) }
            #expect(try await site.send(.post, "/register", body).code == "too_many_registrations")
        }
    }
}
