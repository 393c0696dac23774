import Foundation
import Shared
import TestSupport
import Testing

@testable import AuthService

extension ProblemTests {
    /// What is told of the second factor.
    func secondFactor(_ seen: SeenProblems) async throws {
        try await withSuite(replicas: 0) { suite in
            let user = try await suite.register()
            let mine = try suite.auth.client.with(token: user.token)
            let nonsense: JSON = ["totp": "nonsense"]
            seen.expect(.totpNotEnabled, try await mine.send(.DELETE, "/api/totp", json: nonsense))
            let password: JSON = ["password": .string(SignedInUser.password)]
            let secret = try await mine.post("/api/totp", password).json["secret"].string.orThrow("secret")
            seen.expect(.invalidTOTP, try await mine.post("/api/totp/confirm", nonsense))
            let confirmed = try await mine.post("/api/totp/confirm", ["totp": .string(Self.code(of: secret))])
            guard confirmed.status == 200 else { throw SuiteFault(description: "not confirmed: \(confirmed)") }
            seen.expect(.totpAlreadyEnabled, try await mine.post("/api/totp", password))
            let login: JSON = ["email": .string(user.email), "password": .string(SignedInUser.password)]
            seen.expect(.totpRequired, try await mine.post("/login", login))
        }
    }

    /// What is told of links in mails; the server that would send them is not there.
    func mails(_ seen: SeenProblems) async throws {
        try await withSuite(replicas: 0, settings: ["SMTP_URL": "smtp://127.0.0.1:1"]) { suite in
            let user = try await suite.register()
            let mine = try suite.auth.client.with(token: user.token)
            seen.expect(.invalidMailToken, try await mine.post("/confirm-email", ["token": "nonsense"]))
            let database = PostgresDatabase(settings: PostgresSettings(url: suite.databaseURL), logger: .quiet)
            try await database.query("update auth.users set email_confirmed_at = now()")
            await database.close()
            seen.expect(.emailAlreadyConfirmed, try await mine.post("/api/confirm-email"))
        }
    }

    /// What an authenticator app shows now for a secret in base 32.
    static func code(of secret: String) -> String {
        let step = Int(Date().timeIntervalSince1970) / TOTP.secondsPerStep
        return TOTP.code(.sha1, secret: bytes(ofBase32: secret), step: step)
    }

    static func bytes(ofBase32 secret: String) -> [UInt8] {
        let digits = secret.utf8.map { byte in byte >= 0x41 ? byte - 0x41 : byte - 0x32 + 26 }
        var (bytes, bits, value) = ([UInt8](), 0, UInt32(0))
        for digit in digits {
            value = value << 5 | UInt32(digit)
            bits += 5
            guard bits >= 8 else { continue }
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(bits)))
        }
        return bytes
    }
}
