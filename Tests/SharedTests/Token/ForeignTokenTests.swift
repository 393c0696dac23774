import Foundation
import Shared
import TestSupport
import Testing

/// Against PyJWT, an implementation of JWT (RFC 7519) that shares no line with ours, not even libcrypto's HMAC.
@Suite("Access token and a foreign implementation")
struct ForeignTokenTests {
    private static let secret = "0123456789abcdef-0123456789ABCDEF-+/"
    private let key = AccessTokenKey(secret: Secret(secret))
    private let session = UUID()
    private let now = Int(Date().timeIntervalSince1970)

    /// The verdict of PyJWT on a token.
    private struct Verdict: Decodable {
        struct Header: Decodable {
            let alg, typ, kid: String
        }

        struct Payload: Decodable {
            let iss, aud, sub, email, sid: String
            let user_id, iat, exp: Int
        }

        let header: Header?
        let payload: Payload?
        let refused: String?
    }

    private func pyjwt(_ arguments: String..., secret: String = secret) async throws -> String {
        try await ScriptRun.output(
            ofPython: "Tests/Fixtures/jwt/foreign.py", arguments, variables: ["SECRET": secret]
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func verdict(_ token: String, secret: String = secret) async throws -> Verdict {
        try JSONDecoder().decode(Verdict.self, from: Data(try await pyjwt("verify", token, secret: secret).utf8))
    }

    private func signed(at now: Int) -> String {
        AccessTokenSigner(key: key, lifetimeSeconds: 900)
            .sign(userID: 42, email: "a@example.org", sessionID: session, now: now)
    }

    @Test("verifies what we sign, and refuses it under another secret, or late")
    func verifies() async throws {
        let token = signed(at: now)
        let verdict = try await verdict(token)
        let (header, claims) = (try #require(verdict.header), try #require(verdict.payload))
        #expect(header.alg == "HS256" && header.typ == "at+jwt" && header.kid == key.id)
        #expect(claims.iss == "parley-auth")
        #expect(claims.aud == "parley")
        #expect(claims.user_id == 42)
        #expect(claims.sub == "42" && claims.email == "a@example.org")
        #expect(claims.sid == session.uuidString.lowercased())
        #expect(claims.iat == now && claims.exp == now + 900)
        let other = String(Self.secret.reversed())
        #expect(try await self.verdict(token, secret: other).refused == "InvalidSignatureError")
        #expect(try await self.verdict(signed(at: now - 901)).refused == "ExpiredSignatureError")
    }

    @Test("signs what we read, and under another secret what we refuse")
    func signs() async throws {
        let header = #"{"typ":"at+jwt","kid":"\#(key.id)"}"#
        let claims = """
            {"iss":"parley-auth","aud":"parley","sub":"42","user_id":42,"email":"а@пример.рф","jti":"j",
            "sid":"\(session.uuidString)","iat":\(now),"exp":\(now + 900)}
            """
        let reader = AccessTokenReader(keys: [key])
        let identity = try reader.identity(in: try await pyjwt("sign", header, claims), now: now)
        #expect(
            identity
                == AccessIdentity(
                    userID: 42, email: "а@пример.рф", sessionID: session, tokenID: "j", issuedAt: now,
                    expiresAt: now + 900))
        let forged = try await pyjwt("sign", header, claims, secret: String(Self.secret.reversed()))
        #expect(throws: AccessTokenReader.Refusal.badSignature) { try reader.identity(in: forged, now: now) }
    }
}
