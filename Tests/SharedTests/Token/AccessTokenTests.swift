import Foundation
import Shared
import Testing

@Suite("Access token")
struct AccessTokenTests {
    private static let now = 1_800_000_000
    private static let secret = Secret("0123456789abcdef-0123456789ABCDEF-+/")
    private static let session = UUID()
    private let key = AccessTokenKey(secret: secret)
    private var reader: AccessTokenReader { AccessTokenReader(keys: [key]) }

    private func signed(at now: Int = now) -> String {
        AccessTokenSigner(key: key, lifetimeSeconds: 900).sign(
            userID: 42, email: "a@example.org", sessionID: Self.session, now: now
        )
    }

    @Test("what is signed is read back")
    func roundTrip() throws {
        let identity = try reader.identity(in: signed(), now: Self.now)
        #expect(identity.userID == 42)
        #expect(identity.email == "a@example.org")
        #expect(identity.sessionID == Self.session)
        #expect(identity.expiresAt == Self.now + 900)
    }

    @Test("expires 30 seconds of leeway after its time, and not a second later")
    func leeway() throws {
        let token = signed()
        #expect(throws: Never.self) { try reader.identity(in: token, now: Self.now + 929) }
        #expect(throws: AccessTokenReader.Refusal.expired) { try reader.identity(in: token, now: Self.now + 930) }
        #expect(throws: Never.self) { try reader.identity(in: token, now: Self.now - 30) }
        #expect(throws: AccessTokenReader.Refusal.notYetValid) { try reader.identity(in: token, now: Self.now - 31) }
    }

    @Test("a token of the key before a rotation is accepted while that key is listed")
    func rotation() throws {
        let next = AccessTokenKey(secret: Secret("another-0123456789-another-987654"))
        #expect(throws: Never.self) { try AccessTokenReader(keys: [next, key]).identity(in: signed(), now: Self.now) }
        #expect(throws: AccessTokenReader.Refusal.unknownKey) {
            try AccessTokenReader(keys: [next]).identity(in: signed(), now: Self.now)
        }
    }

    @Test("a key has the name that replicas of earlier versions give it")
    func keyName() {
        #expect(AccessTokenKey(secret: Secret("Kp7wZ2nXv9QbT4rL6mYc8HdJ3sGf5aEu")).id == "j_JH3g6Y4PXbv4is")
    }

    /// Signs any header and claims with the right key.
    private func forged(header: String? = nil, claims: String? = nil) -> String {
        let header = header ?? #"{"alg":"HS256","typ":"at+jwt","kid":"\#(key.id)"}"#
        let input = Base64URL.encode(header.utf8) + "." + Base64URL.encode((claims ?? Self.claims()).utf8)
        let signature = HMACKey(Self.secret.value.utf8).authenticationCode(for: Array(input.utf8))
        return input + "." + Base64URL.encode(signature)
    }

    /// An empty change takes the claim away.
    private static func claims(_ changes: [String: String] = [:]) -> String {
        var members: [String: String] = [
            "iss": #""parley-auth""#, "aud": #""parley""#, "sub": #""42""#, "user_id": "42",
            "email": #""a@example.org""#,
            "sid": "\"\(session.uuidString)\"", "jti": #""j""#, "iat": "\(now)", "exp": "\(now + 900)",
        ]
        for (name, value) in changes { members[name] = value.isEmpty ? nil : value }
        return "{" + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    @Test("the forger's own token is good when nothing is forged")
    func unforged() throws {
        #expect(try reader.identity(in: forged(), now: Self.now).userID == 42)
    }

    @Test("refuses a forged header, although the signature is right")
    func forgedHeaders() {
        let id = key.id
        let cases: [(String, AccessTokenReader.Refusal)] = [
            (#"{"alg":"none","typ":"at+jwt","kid":"\#(id)"}"#, .wrongAlgorithm),
            (#"{"alg":"hs256","typ":"at+jwt","kid":"\#(id)"}"#, .wrongAlgorithm),
            (#"{"alg":"HS512","typ":"at+jwt","kid":"\#(id)"}"#, .wrongAlgorithm),
            (#"{"alg":"RS256","typ":"at+jwt","kid":"\#(id)"}"#, .wrongAlgorithm),
            (#"{"typ":"at+jwt","kid":"\#(id)"}"#, .wrongAlgorithm),
            (#"{"alg":"HS256","typ":"JWT","kid":"\#(id)"}"#, .wrongType),
            (#"{"alg":"HS256","kid":"\#(id)"}"#, .wrongType),
            (#"{"alg":"HS256","typ":"at+jwt"}"#, .unknownKey),
            (#"{"alg":"HS256","typ":"at+jwt","kid":"../x"}"#, .unknownKey),
            (#"{"alg":"HS256","typ":"at+jwt","kid":null}"#, .unknownKey),
            (#"{"alg":"HS256","typ":"at+jwt","kid":"\#(id)","crit":["b64"],"b64":true}"#, .unknownCritical),
            (#"{"alg":"HS256","typ":"at+jwt","kid":"\#(id)","crit":[]}"#, .unknownCritical),
            (#"{"alg":"HS256","alg":"HS256","typ":"at+jwt","kid":"\#(id)"}"#, .malformed),
            (#"["HS256"]"#, .malformed), ("", .malformed),
        ]
        for (header, refusal) in cases {
            #expect(throws: refusal, "\(header)") { try reader.identity(in: forged(header: header), now: Self.now) }
        }
    }

    @Test("refuses forged claims, although the signature is right")
    func forgedClaims() {
        let cases: [([String: String], AccessTokenReader.Refusal)] = [
            (["exp": ""], .badClaim), (["exp": "\"1900000000\""], .badClaim), (["exp": "1.9e9"], .badClaim),
            (["exp": "99999999999999999999"], .badClaim), (["exp": "null"], .badClaim), (["exp": "-1"], .expired),
            (["iat": ""], .badClaim), (["iat": "9223372036854775807"], .notYetValid),
            (["nbf": "\(Self.now + 60)"], .notYetValid), (["nbf": "\"x\""], .badClaim),
            (["iss": "\"other\""], .wrongIssuer), (["iss": ""], .wrongIssuer),
            (["aud": "\"other\""], .wrongAudience), (["aud": "[\"parley\"]"], .wrongAudience),
            (["sub": "\"43\""], .badClaim), (["sub": "42"], .badClaim), (["user_id": "\"42\""], .badClaim),
            (["user_id": "0", "sub": "\"0\""], .badClaim), (["user_id": "-1", "sub": "\"-1\""], .badClaim),
            (["sid": "\"x\""], .badClaim), (["sid": ""], .badClaim), (["jti": "1"], .badClaim),
            (["email": ""], .badClaim),
        ]
        for (changes, refusal) in cases {
            #expect(throws: refusal, "\(changes)") {
                try reader.identity(in: forged(claims: Self.claims(changes)), now: Self.now)
            }
        }
        #expect(throws: AccessTokenReader.Refusal.malformed) {
            try reader.identity(in: forged(claims: #"{"exp":1,"exp":2}"#), now: Self.now)
        }
    }

    @Test("refuses what is changed, cut, padded or too long")
    func changed() {
        let token = signed()
        let parts = token.split(separator: ".")
        let cases: [(String, AccessTokenReader.Refusal)] = [
            ("", .malformed), ("..", .malformed), ("a.b", .malformed), (token + ".x", .malformed),
            (token + "=", .malformed),
            ("\(parts[0]).\(parts[1]).", .badSignature), (" " + token, .malformed),
            (String(token.dropLast(2)), .malformed), ("\(parts[0]).\(parts[1]).\(parts[2].dropLast(4))", .malformed),
            (String(repeating: "a", count: 4097), .tooLong),
        ]
        for (text, refusal) in cases {
            let failure = #expect(throws: AccessTokenReader.Refusal.self, "\(text)") {
                try reader.identity(in: text, now: Self.now)
            }
            #expect(failure == refusal || failure == .badSignature, "\(text)")
        }
    }

    @Test("refuses a token with any one bit of it changed")
    func everyBit() {
        let bytes = Array(signed().utf8)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            let text = String(decoding: changed, as: UTF8.self)
            #expect(throws: AccessTokenReader.Refusal.self) { try reader.identity(in: text, now: Self.now) }
        }
    }
}
