import Foundation
import HTTPTypes
import Shared
import TestSupport
import Testing

@testable import AuthService

typealias HTTPRequestMethod = HTTPRequest.Method

@Suite("The service as a whole", .serialized)
struct ServiceTests {
    @Test("no secret that a run used is in a log line or a row of the audit trail")
    func secrecy() async throws {
        try await AuthSite.run { site in
            let session = try await site.register()
            var secrets = [AuthSite.password, AuthSite.secret, "guessed password", "chosen password", session.token]
            secrets.append(session.refreshToken)
            _ = try await site.login(password: "guessed password")
            _ = try await site.login("guessed password", password: "chosen password")
            let refreshed = try await site.refresh(session.refreshToken).decoded(SessionAnswer.self)
            secrets += [refreshed.token, refreshed.refreshToken]
            _ = try await site.change(from: "guessed password", to: "chosen password", token: refreshed.token)
            _ = try await site.change(from: AuthSite.password, to: "chosen password", token: refreshed.token)
            _ = try await site.send(.post, "/login", raw: Data(#"{"password":"guessed password""#.utf8))
            secrets += try await site.database.read("select password_hash from auth.users").map {
                try $0.decode(String.self)
            }
            let audit = try await site.database.read("select a::text from auth.audit as a").map {
                try $0.decode(String.self)
            }
            let log = site.log.text
            #expect(audit.count >= 6 && log.contains("/login"))
            for secret in secrets {
                #expect(!log.contains(secret) && !audit.contains { $0.contains(secret) })
            }
            #expect(!audit.contains { $0.contains("@") })
        }
    }

    @Test("the database has neither a refresh token nor a password, in any row")
    func storage() async throws {
        try await AuthSite.run { site in
            let session = try await site.register()
            let refreshed = try await site.refresh(session.refreshToken).decoded(SessionAnswer.self)
            let rows = try await site.database.read(
                """
                select u::text from auth.users as u union all select s::text from auth.sessions as s
                union all select r::text from auth.revoked_sessions as r
                union all select l::text from auth.login_attempts as l
                """
            ).map { try $0.decode(String.self) }
            let hex = { (text: String) in
                Base64URL.decode(text.utf8)?.map { String(format: "%02x", $0) }.joined() ?? ""
            }
            for secret in [AuthSite.password, session.refreshToken, refreshed.refreshToken] {
                #expect(!rows.contains { $0.contains(secret) })
            }
            for token in [session.refreshToken, refreshed.refreshToken] {
                #expect(!rows.contains { $0.contains(hex(token)) || $0.contains(hex(token).suffix(64)) })
            }
        }
    }

    @Test("every event and every window that the code knows is known to the tables")
    func constraints() async throws {
        try await AuthSite.run { site in
            for event in AuditEvent.allCases {
                try await site.database.audit(
                    event, user: nil, RequestOrigin(address: "192.0.2.1", userAgent: "", requestID: "r"))
            }
            for kind in AddressWindow.Kind.allCases {
                let window = AddressWindow(kind: kind, limit: 2, seconds: 60)
                #expect(try await site.database.take(window, from: "192.0.2.1") == nil)
                #expect(try await site.database.take(window, from: "192.0.2.1") == nil)
                let seconds = try #require(try await site.database.take(window, from: "192.0.2.1"))
                #expect((1...60).contains(seconds))
                #expect(try await site.database.take(window, from: "192.0.2.2") == nil)
            }
        }
    }

    @Test("the served OpenAPI document has every route of the contract, and each of its examples is well-formed")
    func openAPI() async throws {
        // With mails, as only then every route is there. Nothing is sent.
        try await AuthSite.run(["SMTP_URL": "smtp://127.0.0.1:1"]) { site in
            let answer = try await site.send(.get, "/openapi.json")
            #expect(answer.status == 200 && answer.members["openapi"] as? String == "3.1.0")
            let paths = answer.members["paths"] as? [String: [String: Any]] ?? [:]
            let routes = Set(paths.flatMap { path, methods in methods.keys.map { "\($0) \(path)" } })
            #expect(
                routes == [
                    "post /register", "post /login", "post /refresh", "post /logout", "get /api/profile",
                    "patch /api/profile", "post /api/change-password", "get /api/sessions",
                    "delete /api/sessions/{id}", "delete /api/account", "get /api/totp", "post /api/totp",
                    "delete /api/totp", "post /api/totp/confirm", "post /password-reset",
                    "post /password-reset/confirm", "post /confirm-email", "post /api/confirm-email", "get /health",
                    "get /livez", "get /readyz",
                    "get /metrics", "get /openapi.json",
                ])
            for (path, methods) in paths where !path.contains("{") {
                for method in methods.keys {
                    let verb = try #require(HTTPRequest.Method(rawValue: method.uppercased()))
                    let status = try await site.send(verb, path).status
                    #expect(status != 404 && status != 405, "\(method) \(path)")
                }
            }
        }
    }

    @Test("every problem code that the document names is one of the catalogue, with its status, title and sentence")
    func openAPIProblems() throws {
        let document = try JSONSerialization.jsonObject(with: Data(PackageResources.openapi_json))
        let problems = Self.objects(in: document).compactMap { $0["value"] as? [String: Any] }
        #expect(problems.count > 20)
        for problem in problems {
            let code = try #require((problem["code"] as? String).flatMap(ProblemCode.init))
            #expect(problem["status"] as? Int == code.status && problem["title"] as? String == code.title)
            #expect(problem["detail"] as? String == code.detail && problem["type"] as? String == code.type)
        }
    }

    @Test("the service is ready when its database is there and migrated, and counts what it does")
    func operation() async throws {
        try await AuthSite.run { site in
            _ = try await site.register()
            _ = try await site.login(password: "wrong password")
            let ready = try await site.send(.get, "/readyz")
            #expect(ready.status == 200 && ready.text == "database: ok\nmigrations: ok\nmail: off\n")
            let metrics = try await site.send(.get, "/metrics").text
            for name in [
                "parley_registrations_total", "parley_password_checks_total", "parley_password_hash_seconds",
                "parley_password_hashes_admitted",
            ] { #expect(metrics.contains(name)) }
            try await site.database.query("update parley.migrations set number = 99 where number = 1")
            #expect(try await site.send(.get, "/readyz").status == 503)
        }
    }

    @Test("a call that needs no hash does not wait for those that do")
    func responsive() async throws {
        var dear = PasswordHasher.Cost()
        dear.passes = 10
        try await AuthSite.run(["HASH_WORKERS": "1"], hashCost: dear) { site in
            let token = try await site.register().token
            try await withThrowingTaskGroup(of: ContinuousClock.Instant.self) { group in
                for number in 0..<10 {
                    group.addTask {
                        _ = try await site.login("no\(number)@example.com")
                        return .now
                    }
                }
                for _ in 0..<10 { _ = try await site.send(.get, "/api/profile", token: token).decoded(Profile.self) }
                let profilesRead = ContinuousClock.now
                let lastLogin = try await group.reduce(profilesRead) { max($0, $1) }
                #expect(lastLogin > profilesRead)
            }
        }
    }

    private static func objects(in json: Any) -> [[String: Any]] {
        if let array = json as? [Any] { return array.flatMap(objects) }
        guard let object = json as? [String: Any] else { return [] }
        return [object] + object.values.flatMap(objects)
    }
}
