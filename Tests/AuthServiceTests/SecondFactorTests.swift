import Foundation
import Shared
import TestSupport
import Testing

@testable import AuthService

@Suite("The second factor", .serialized)
struct SecondFactorTests {
    @Test("it is proposed with the password, confirmed with a code, and then asked for at every sign-in")
    func happy() async throws {
        try await AuthSite.run { site in
            let token = try await site.register().token
            #expect(try await site.send(.get, "/api/totp", token: token).members["enabled"] as? Bool == false)
            let refused = try await site.send(.post, "/api/totp", ["password": "wrong password"], token: token)
            #expect(refused.code == "invalid_password")
            let proposed = try await site.propose(token)
            #expect(proposed.otpauthURI.hasPrefix("otpauth://totp/Parley:ann%40example.com?secret=\(proposed.secret)&"))
            #expect(try await site.login().status == 200, "not asked for before it is confirmed")
            let app = try #require(AuthenticatorApp(proposed.secret))
            let codes = try await site.confirm(try await app.code(site), token)
            #expect(Set(codes).count == 10)
            let state = try await site.send(.get, "/api/totp", token: token).members
            #expect(state["enabled"] as? Bool == true && state["recovery_codes_left"] as? Int == 10)

            #expect(try await site.login().code == "totp_required")
            #expect(try await site.login(totp: "not a code").code == "invalid_totp")
            #expect(try await site.login(password: "wrong password").code == "invalid_credentials")
            let guess = try await site.login(password: "wrong password", totp: try await app.code(site, later: 1))
            #expect(guess.code == "invalid_credentials", "whether the code is right is not told, nor is it used up")
            #expect(try await site.login(totp: try await app.code(site, later: 1)).status == 200)
            #expect(
                try await site.auditEvents() == [
                    "registered", "password_refused", "login_succeeded", "totp_enabled", "totp_refused", "login_failed",
                    "login_failed", "login_succeeded",
                ])
        }
    }

    @Test("a code works once, however many replicas and requests it is shown to at once; nor does an earlier one")
    func once() async throws {
        try await withTestDatabase { _, url in
            try await AuthSite.run(on: url) { one in
                try await AuthSite.run(on: url) { other in
                    let token = try await one.register().token
                    let (app, _) = try await one.enableSecondFactor(token)
                    try await one.database.query("update auth.second_factors set last_step = 0")
                    let code = try await app.code(one)
                    let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                        for number in 0..<4 {
                            let site = number % 2 == 0 ? one : other
                            group.addTask { try await site.login(totp: code).status }
                        }
                        return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
                    }
                    #expect(statuses == [200: 1, 401: 3])
                    #expect(try await one.login(totp: try await app.code(one, later: -1)).code == "invalid_totp")
                }
            }
        }
    }

    @Test("wrong codes sent at once wait for each other in one order: each is judged, none fails")
    func parallelGuesses() async throws {
        try await AuthSite.run { site in
            _ = try await site.enableSecondFactor(try await site.register().token)
            for _ in 0..<6 {
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<8 { group.addTask { try await site.login(totp: "000000").status } }
                    return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
                }
                #expect(statuses.isSubset(of: [401, 429]))
                try await site.database.query("delete from auth.login_attempts")
                try await site.database.query("delete from auth.address_windows")
            }
        }
    }

    @Test("a recovery code signs in once, also when it is shown twice at once")
    func recovery() async throws {
        try await AuthSite.run { site in
            let token = try await site.register().token
            let (_, codes) = try await site.enableSecondFactor(token)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<3 { group.addTask { try await site.login(totp: codes[0].lowercased()).status } }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [200: 1, 401: 2])
            #expect(try await site.login(totp: codes[1]).status == 200)
            #expect(
                try await site.send(.get, "/api/totp", token: token).members["recovery_codes_left"] as? Int == 8)
            #expect(try await site.auditEvents().filter { $0 == "recovery_code_used" }.count == 2)
        }
    }

    @Test("it is turned off with a code only, and then another can be proposed")
    func remove() async throws {
        try await AuthSite.run { site in
            let token = try await site.register().token
            #expect(
                try await site.send(.delete, "/api/totp", ["totp": "123456"], token: token).code == "totp_not_enabled")
            #expect(
                try await site.send(.post, "/api/totp/confirm", ["totp": "1"], token: token).code == "totp_not_enabled")
            let (_, codes) = try await site.enableSecondFactor(token)
            let again = try await site.send(.post, "/api/totp", ["password": AuthSite.password], token: token)
            #expect(again.code == "totp_already_enabled")
            let twice = try await site.send(.post, "/api/totp/confirm", ["totp": "123456"], token: token)
            #expect(twice.code == "totp_already_enabled")
            #expect(
                try await site.send(.delete, "/api/totp", ["totp": "nonsense"], token: token).code == "invalid_totp")
            #expect(try await site.send(.delete, "/api/totp", [:], token: token).code == "invalid_body")
            #expect(try await site.send(.delete, "/api/totp", ["totp": codes[0]], token: token).status == 204)
            #expect(try await site.login().status == 200)
            #expect(try await site.count("select count(*) from auth.recovery_codes") == 0)
            _ = try await site.enableSecondFactor(token)
            #expect(try await site.login().code == "totp_required")
        }
    }

    @Test("guesses are counted for the account over all addresses, and a right password alone forgets none")
    func throttled() async throws {
        try await AuthSite.run(over: .live) { site in
            let token = try await site.register().token
            let (app, _) = try await site.enableSecondFactor(token)
            for number in 0..<5 {
                let guess = try await site.login(totp: "000000", from: "192.0.2.\(number)")
                #expect(guess.code == "invalid_totp")
                #expect(try await site.login(from: "192.0.2.\(number)").code == "totp_required")
            }
            try await site.stretchPauses()
            try await site.database.query("delete from auth.login_attempts where address like '192.0.2.%'")
            let right = try await site.login(totp: try await app.code(site, later: 1), from: "198.51.100.1")
            #expect(right.status == 429 && right.code == "too_many_attempts")
            let removed = try await site.send(
                .delete, "/api/totp", ["totp": try await app.code(site, later: 1)], token: token)
            #expect(removed.code == "too_many_attempts")
            try await site.endPauses()
            #expect(try await site.login(totp: try await app.code(site, later: 1), from: "198.51.100.1").status == 200)
        }
    }

    @Test("five wrong codes from one address are five failures of it")
    func throttledByAddress() async throws {
        try await AuthSite.run { site in
            let (_, codes) = try await site.enableSecondFactor(try await site.register().token)
            for _ in 0..<5 { #expect(try await site.login(totp: "000000").status == 401) }
            try await site.stretchPauses()
            try await site.database.query("delete from auth.login_attempts where address like 'second factor%'")
            #expect(try await site.login(totp: codes[0]).status == 429)
        }
    }

    @Test(
        "secrets are sealed, anew when JWT_SECRET is rotated; a rotation without the old one leaves recovery codes"
    )
    func rotation() async throws {
        try await withTestDatabase { _, url in
            let (secret, codes) = try await AuthSite.run(on: url) { site in
                let token = try await site.register().token
                let proposed = try await site.propose(token)
                let app = try #require(AuthenticatorApp(proposed.secret))
                let codes = try await site.confirm(try await app.code(site), token)
                let row = try await site.database.read("select encode(sealed_secret, 'hex') from auth.second_factors")
                    .only.decode(String.self)
                #expect(!row.contains(app.secret.map { String(format: "%02x", $0) }.joined()))
                return (proposed.secret, codes)
            }
            let app = try #require(AuthenticatorApp(secret))
            let (second, third) = ("Kp7wZ2nXv9QbT4rL6mYc8HdJ3sGf5aEu", "Wn5tB8yMq2RxC7kV4pLz9GhD6jSf3aUe")
            try await AuthSite.run(["JWT_SECRET": second, "JWT_SECRET_PREVIOUS": AuthSite.secret], on: url) { site in
                try await site.database.query("update auth.second_factors set last_step = 0")
                #expect(try await site.login(totp: try await app.code(site)).status == 200)
                let seal = SecretSeal(TokenSettings(secret: Secret(second), previousSecret: Secret(AuthSite.secret)))
                #expect(try await site.database.resealSecondFactors(with: seal, limit: 100) == 0)
            }
            try await AuthSite.run(["JWT_SECRET": second], on: url) { site in
                try await site.database.query("update auth.second_factors set last_step = 0")
                #expect(try await site.login(totp: try await app.code(site)).status == 200)
            }
            try await AuthSite.run(["JWT_SECRET": third], on: url) { site in
                try await site.database.query("update auth.second_factors set last_step = 0")
                #expect(try await site.login(totp: try await app.code(site)).code == "invalid_totp")
                #expect(site.log.text.contains("JWT_SECRET was replaced"))
                #expect(try await site.login(totp: codes[0]).status == 200)
                let seal = SecretSeal(TokenSettings(secret: Secret(third)))
                #expect(try await site.database.resealSecondFactors(with: seal, limit: 100) == 1)
            }
        }
    }

    @Test("what an earlier version sealed, with swift-crypto, opens")
    func earlier() {
        let seal = SecretSeal(TokenSettings(secret: Secret("Kp7wZ2nXv9QbT4rL6mYc8HdJ3sGf5aEu")))
        let text =
            "76435fe706f873e6ee7a8c705493bc107f89f621be00be9d1544d1e89c77cb55047bce9a0d9c1edd66371dd89df8dc43"
        let digits = text.compactMap(\.hexDigitValue)
        let bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
        let sealed = SecretSeal.Sealed(keyID: "vjJ9-LF930x2nQbZ", bytes: bytes)
        #expect(seal.open(sealed, ofUser: 7) == Array("12345678901234567890".utf8))
        #expect(seal.open(sealed, ofUser: 8) == nil)
    }

    @Test("what was sealed for one user does not open for another")
    func exchange() throws {
        let seal = SecretSeal(TokenSettings(secret: Secret(AuthSite.secret)))
        let sealed = try seal.seal([1, 2, 3], ofUser: 1)
        #expect(seal.open(sealed, ofUser: 1) == [1, 2, 3] && seal.open(sealed, ofUser: 2) == nil)
        #expect(try seal.seal([1, 2, 3], ofUser: 1) != sealed)
        #expect(seal.open(.init(keyID: sealed.keyID, bytes: Array(sealed.bytes.dropLast())), ofUser: 1) == nil)
    }
}

/// What a user's device does, by the clock of the database.
struct AuthenticatorApp: Sendable {
    let secret: [UInt8]

    /// - Parameter text: base 32, as an app is told it.
    init?(_ text: String) {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        let digits = text.compactMap { alphabet.firstIndex(of: $0) }
        guard digits.count == text.count else { return nil }
        let bits = digits.flatMap { digit in (0..<5).map { digit >> (4 - $0) & 1 } }
        secret = stride(from: 0, to: bits.count / 8 * 8, by: 8).map { start in
            bits[start..<start + 8].reduce(UInt8(0)) { $0 << 1 | UInt8($1) }
        }
    }

    /// - Parameter steps: of 30 seconds, after the present one.
    func code(_ site: AuthSite, later steps: Int = 0) async throws -> String {
        let seconds = try await site.count("select floor(extract(epoch from clock_timestamp()))::bigint")
        return TOTP.code(.sha1, secret: secret, step: seconds / 30 + steps)
    }
}

extension AuthSite {
    func propose(_ token: String) async throws -> ProposedSecondFactor {
        try await send(.post, "/api/totp", ["password": Self.password], token: token).decoded()
    }

    func confirm(_ code: String, _ token: String) async throws -> [String] {
        let answer = try await send(.post, "/api/totp/confirm", ["totp": code], token: token)
        return try answer.decoded([String: [String]].self)["recovery_codes"] ?? []
    }

    func enableSecondFactor(_ token: String) async throws -> (app: AuthenticatorApp, codes: [String]) {
        guard let app = AuthenticatorApp(try await propose(token).secret) else { throw CancellationError() }
        return (app, try await confirm(try await app.code(self), token))
    }

    func login(
        _ email: String = "ann@example.com", password: String = password, totp: String, from address: String? = nil
    ) async throws -> Answer {
        try await send(
            .post, "/login", ["email": email, "password": password, "totp": totp], headers: Self.forwarded(address))
    }
}
