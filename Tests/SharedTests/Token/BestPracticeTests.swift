import Foundation
import Shared
import Testing

/// RFC 8725, JSON Web Token Best Current Practices: section 3, point by point. Where a point needs a list of forged
/// tokens, `AccessTokenTests` has the rest of it.
@Suite("RFC 8725")
struct BestPracticeTests {
    private static let now = 1_800_000_000
    private static let secret = Secret("0123456789abcdef-0123456789ABCDEF-+/")
    private static let attacker = Secret("the attacker's own key, long enough, 42 bytes")
    private let key = AccessTokenKey(secret: secret)
    private var reader: AccessTokenReader { AccessTokenReader(keys: [key]) }

    private func header(_ more: String = "") -> String {
        #"{"alg":"HS256","typ":"at+jwt","kid":"\#(key.id)"\#(more)}"#
    }

    private static let claims = """
        {"iss":"parley-auth","aud":"parley","sub":"42","user_id":42,"email":"a@example.org",\
        "sid":"5f0c0c6e-3f0e-4c6b-9a0e-0a4c3b2d1e0f","jti":"j","iat":\(now),"exp":\(now + 900)}
        """

    private func token(_ header: String, claims: [UInt8] = Array(claims.utf8), by secret: Secret = secret) -> String {
        let input = Base64URL.encode(header.utf8) + "." + Base64URL.encode(claims)
        let code = HMACKey(secret.value.utf8).authenticationCode(for: Array(input.utf8))
        return input + "." + Base64URL.encode(code)
    }

    private func expect(
        _ refusal: AccessTokenReader.Refusal, _ token: String, location: SourceLocation = #_sourceLocation
    ) {
        #expect(throws: refusal, sourceLocation: location) { try reader.identity(in: token, now: Self.now) }
    }

    @Test("3.1 the algorithm is ours and never the token's; 3.2 only one is known, and none is not")
    func algorithms() throws {
        #expect(try reader.identity(in: token(header()), now: Self.now).userID == 42)
        for name in ["none", "None", "NONE", "HS384", "HS512", "RS256", "ES256", "EdDSA", "PS256", "dir", "A128KW", ""]
        {
            expect(.wrongAlgorithm, token(header().replacing("HS256", with: name)))
        }
        let unsigned = token(header().replacing("HS256", with: "none")).split(separator: ".").prefix(2)
        expect(.wrongAlgorithm, unsigned.joined(separator: ".") + ".")
    }

    @Test("3.3 every operation is validated: encrypted and nested tokens are none of ours")
    func operations() {
        expect(.malformed, "\(Base64URL.encode(header().utf8)).a.b.c.d")
        expect(.wrongType, token(header().replacing("at+jwt", with: "JWT"), claims: Array(token(header()).utf8)))
        expect(.malformed, token(header(#","cty":"JWT""#), claims: Array(token(header()).utf8)))
    }

    @Test("3.4 and 3.5 inputs and keys: a key that could be guessed does not start the service")
    func keys() {
        for weak in ["short", String(repeating: "ab", count: 40), "changeme-changeme-changeme-changeme", ""] {
            var reader = SettingsReader(values: ["JWT_SECRET": weak])
            _ = TokenSettings(&reader)
            #expect(throws: SettingsError.self) { try reader.finish() }
        }
        expect(.badSignature, token(header(), by: Self.attacker))
    }

    @Test("3.6 nothing is decompressed; 3.7 text is UTF-8")
    func encodings() {
        let deflated: [UInt8] = [0x78, 0x9C, 0xAB, 0x56, 0x4A, 0x2C, 0x4D, 0x51, 0xB2, 0x02, 0x00]
        expect(.malformed, token(header(#","zip":"DEF""#), claims: deflated))
        let wide = Self.claims.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        expect(.malformed, token(header(), claims: wide))
        expect(.malformed, token(header(), claims: Array(Self.claims.utf8).dropLast() + [0xFF, 0x7D]))
    }

    @Test("3.8 issuer and subject, 3.9 audience")
    func claims() {
        func changed(_ old: String, _ new: String) -> String {
            token(header(), claims: Array(Self.claims.replacing(old, with: new).utf8))
        }
        expect(.wrongIssuer, changed("parley-auth", "evil"))
        expect(.wrongAudience, changed(#""aud":"parley""#, #""aud":"others""#))
        expect(.badClaim, changed(#""sub":"42""#, #""sub":"43""#))
        expect(.badClaim, changed(#""sub":"42","#, ""))
    }

    @Test("3.10 what a token says is not believed: no key out of it, no address followed, no id looked up as a path")
    func received() {
        let jwk = #","jwk":{"kty":"oct","k":"\#(Base64URL.encode(Self.attacker.value.utf8))"}"#
        let urls = #","jku":"https://evil.example/keys","x5u":"https://evil.example/cert""#
        for more in [jwk, urls] {
            expect(.badSignature, token(header(more), by: Self.attacker))
            let otherID = header(more).replacing(key.id, with: "evil")
            expect(.unknownKey, token(otherID, by: Self.attacker))
        }
        for id in ["../../dev/null", "' or '1'='1", "https://evil.example/key", ""] {
            expect(.unknownKey, token(header().replacing(key.id, with: id), by: Self.attacker))
        }
    }

    @Test("3.11 the type is explicit; 3.12 a token of another kind under the same key is none")
    func types() {
        for type in ["JWT", "jwt", "secevent+jwt", "dpop+jwt", "at+jwt2", "id+jwt"] {
            expect(.wrongType, token(header().replacing("at+jwt", with: type)))
        }
        expect(.wrongType, token(header().replacing(#""typ":"at+jwt","#, with: "")))
    }
}
