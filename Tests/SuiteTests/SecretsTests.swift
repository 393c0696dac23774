import Foundation
import NIOCore
import NIOHTTP1
import Shared
import TestSupport
import Testing

/// No secret that a run used is in any row or any log line of both services.
@Suite("Secrets", .serialized)
struct SecretsTests {
    private static let smtpPassword = "a password of the mail server"

    @Test func noRowAndNoLogLineHasASecretOfTheRun() async throws {
        try await MailServer.run(["take", "--login", "parley", Self.smtpPassword]) { server in
            let smtp = "smtp://parley:\(Self.smtpPassword.replacing(" ", with: "%20"))@127.0.0.1:\(server.port)"
            try await withSuite(settings: ["SMTP_URL": smtp, "LOG_LEVEL": "trace"]) { suite in
                let secrets = try await use(suite, server)
                let database = PostgresDatabase(settings: PostgresSettings(url: suite.databaseURL), logger: .quiet)
                var rows: [String] = []
                for table in try await tables(database) {
                    rows += try await database.read("select t::text from \(unsafeRaw: table) as t limit 10000").map {
                        try $0.decode(String.self)
                    }
                }
                await database.close()
                let logs = try [suite.auth.process.log.text, suite.chats[0].process.log.text]
                #expect(rows.count > 15 && logs.allSatisfy { $0.count > 1_000 })
                for (name, secret) in secrets {
                    #expect(!rows.contains { $0.contains(secret) }, "\(name) is in a row")
                    #expect(!logs.contains { $0.contains(secret) }, "\(name) is in a log")
                }
            }
        }
    }

    private func tables(_ database: PostgresDatabase) async throws -> [String] {
        try await database.read(
            """
            select format('%I.%I', schemaname, tablename) from pg_tables
            where schemaname in ('auth', 'chat', 'parley') order by 1
            """
        ).map { try $0.decode(String.self) }
    }

    /// Does everything that has to do with a secret, right and wrong.
    /// - Returns: every secret that was used, also as a row would show its bytes.
    private func use(_ suite: Suite, _ server: MailServer) async throws -> [(String, String)] {
        let user = try await suite.register()
        let auth = try suite.auth.client
        let mine = auth.with(token: user.token)
        var secrets: [(String, String)] = [
            ("JWT_SECRET", "a secret of the suite tests, 40 bytes ok"), ("the password", SignedInUser.password),
            ("the mail server's password", Self.smtpPassword), ("a wrong password", "guessed-and-wrong"),
            ("the new password", "chosen after a mail"), ("a token", user.token),
        ]
        secrets += [("the database's password", try databasePassword(suite))]
        secrets += asRows("a refresh token", user.refreshToken)
        let wrong: JSON = ["email": .string(user.email), "password": "guessed-and-wrong"]
        #expect(try await auth.post("/login", wrong).status == 401)
        let pasted: JSON = ["email": "guessed-and-wrong", "password": .string(user.refreshToken)]
        #expect(try await auth.post("/login", pasted).status == 401)
        let refreshed = try await auth.post("/refresh", ["refresh_token": .string(user.refreshToken)])
        secrets += asRows("a refresh token's successor", try refreshed.json["refresh_token"].string.orThrow("token"))
        secrets.append(("a later token", try refreshed.json["token"].string.orThrow("token")))
        let broken = ByteBuffer(string: "{\"refresh_token\":\"\(user.refreshToken)\"")
        let headers: HTTPHeaders = ["Content-Type": "application/json"]
        #expect(try await auth.send(.POST, "/refresh", headers: headers, body: broken).status == 400)
        #expect(try await auth.with(token: user.token + "x").get("/api/profile").status == 401)
        _ = try await suite.chats[0].client.with(token: user.token).post("/conversations")
        secrets += try await secondFactor(mine)
        secrets += try await mails(auth, user, server)
        return secrets
    }

    private func secondFactor(_ mine: ServiceClient) async throws -> [(String, String)] {
        let proposed = try await mine.post("/api/totp", ["password": .string(SignedInUser.password)])
        let secret = try proposed.json["secret"].string.orThrow("secret")
        let code = ProblemTests.code(of: secret)
        let confirmed = try await mine.post("/api/totp/confirm", ["totp": .string(code)])
        let codes = confirmed.json["recovery_codes"].array.compactMap(\.string)
        #expect(codes.count == 10)
        #expect(try await mine.send(.DELETE, "/api/totp", json: ["totp": .string(codes[0])]).status == 204)
        let again = try await mine.post("/api/totp", ["password": .string(SignedInUser.password)])
        let kept = try again.json["secret"].string.orThrow("secret")
        return [secret, kept].flatMap { [("a TOTP secret", $0), ("its bytes", hex(ProblemTests.bytes(ofBase32: $0)))] }
            + codes.map { ("a recovery code", $0) }
    }

    private func mails(
        _ auth: ServiceClient, _ user: SignedInUser, _ server: MailServer
    ) async throws -> [(String, String)] {
        #expect(try await auth.post("/password-reset", ["email": .string(user.email)]).status == 202)
        let tokens = try await server.mails(2).map { try $0.token }
        let reset: JSON = ["token": .string(tokens[1]), "new_password": "chosen after a mail"]
        #expect(try await auth.post("/password-reset/confirm", reset).status == 200)
        return tokens.flatMap { asRows("a mail's token", $0) }
    }

    private func databasePassword(_ suite: Suite) throws -> String {
        try URLComponents(string: suite.databaseURL)?.password.orThrow("a password in the database's URL") ?? ""
    }

    private func asRows(_ name: String, _ token: String) -> [(String, String)] {
        [(name, token), (name + "'s bytes", hex(Base64URL.decode(token.utf8) ?? []))]
    }

    private func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }
}
