package import Foundation
import NIOCore

/// Who is calling, by the access token.
package struct AccessIdentity: Sendable, Equatable {
    package let userID: Int
    package let email: String
    /// The session that the token belongs to; revoking it ends the token.
    package let sessionID: UUID
    package let tokenID: String
    /// Seconds since 1970.
    package let issuedAt: Int
    package let expiresAt: Int

    package init(userID: Int, email: String, sessionID: UUID, tokenID: String, issuedAt: Int, expiresAt: Int) {
        self.userID = userID
        self.email = email
        self.sessionID = sessionID
        self.tokenID = tokenID
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
    }

    /// Whether the token is past its end and the leeway, for what outlives the request that it came with.
    ///
    /// - Parameter now: seconds since 1970.
    package func isExpired(now: Int) -> Bool { now - AccessTokenRules.leewaySeconds > expiresAt }

    /// How long such a token counts in all, the leeway included; what AuthService was told, as the token says it.
    var lifetimeSeconds: Int {
        let (seconds, isTooLong) = expiresAt.subtractingReportingOverflow(issuedAt)
        return isTooLong
            ? .max : max(0, min(seconds, .max - AccessTokenRules.leewaySeconds)) + AccessTokenRules.leewaySeconds
    }
}

/// A key that access tokens are signed with, and its name in the token's header.
package struct AccessTokenKey: Sendable {
    let key: HMACKey
    /// Derived from the secret with HMAC, so that it names the key on every replica and tells nothing about it.
    package let id: String

    package init(secret: Secret) {
        key = HMACKey(secret.value.utf8)
        let name = key.authenticationCode(for: Array("parley access token key id".utf8))
        id = String(Base64URL.encode(name).prefix(16))
    }
}

/// What both services agree on about access tokens (JWT, RFC 7519; profile of RFC 9068).
enum AccessTokenRules {
    static let issuer = "parley-auth"
    static let audience = "parley"
    static let type = "at+jwt"
    static let algorithm = "HS256"
    static let bytesMax = 4096
    /// How far the clocks of two replicas may be apart.
    static let leewaySeconds = 30
}

/// Makes access tokens. AuthService only.
package struct AccessTokenSigner: Sendable {
    private let key: AccessTokenKey
    /// How long a token lives.
    package let lifetimeSeconds: Int
    private let encodedHeader: String

    package init(key: AccessTokenKey, lifetimeSeconds: Int) {
        self.key = key
        self.lifetimeSeconds = lifetimeSeconds
        var json = JSONWriter(capacity: 96)
        json.object { json in
            json.member("alg", AccessTokenRules.algorithm)
            json.member("typ", AccessTokenRules.type)
            json.member("kid", key.id)
        }
        encodedHeader = Base64URL.encode(json.bytes)
    }

    /// A token for one session of a user, valid from `now` on.
    /// - Parameter now: seconds since 1970.
    package func sign(userID: Int, email: String, sessionID: UUID, now: Int) -> String {
        var json = JSONWriter(capacity: 384)
        json.object { json in
            json.member("iss", AccessTokenRules.issuer)
            json.member("aud", AccessTokenRules.audience)
            json.member("sub", String(userID))
            json.member("user_id", userID)
            json.member("email", email)
            json.member("sid", sessionID.uuidString.lowercased())
            json.member("jti", UUID().uuidString.lowercased())
            json.member("iat", now)
            json.member("exp", now + lifetimeSeconds)
        }
        let input = encodedHeader + "." + Base64URL.encode(json.bytes)
        let signature = key.key.authenticationCode(for: Array(input.utf8))
        return input + "." + Base64URL.encode(signature)
    }
}

/// Reads and checks access tokens, without cache and without looking at revoked sessions: bytes in, identity or reason
/// out. The algorithm comes from the rules above and the key from our own list, never from the token (RFC 8725, 3.1).
package struct AccessTokenReader: Sendable {
    /// Why a token is refused. For the log; callers get one fixed sentence.
    package enum Refusal: String, Error, Sendable {
        case tooLong, malformed, wrongType, wrongAlgorithm, unknownKey, unknownCritical, badSignature
        case wrongIssuer, wrongAudience, badClaim, notYetValid, expired
    }

    private let keys: [String: HMACKey]

    /// - Parameter keys: the key that signs now, and the one before it, if there is one.
    package init(keys: [AccessTokenKey]) {
        self.keys = Dictionary(keys.map { ($0.id, $0.key) }, uniquingKeysWith: { first, _ in first })
    }

    /// - Parameter now: seconds since 1970.
    package func identity(in token: some StringProtocol, now: Int) throws(Refusal) -> AccessIdentity {
        guard token.utf8.count <= AccessTokenRules.bytesMax else { throw .tooLong }
        let parts = token.utf8.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let signature = Base64URL.decode(parts[2]) else { throw .malformed }
        let key = try key(for: try Self.object(parts[0]))
        let input = token.utf8.prefix(parts[0].count + 1 + parts[1].count)
        guard key.isValidAuthenticationCode(signature, for: Array(input)) else { throw .badSignature }
        return try Self.identity(claims: try Self.object(parts[1]), now: now)
    }

    private func key(for header: JSONObject) throws(Refusal) -> HMACKey {
        guard header["alg"] == .string(AccessTokenRules.algorithm) else { throw .wrongAlgorithm }
        guard let type = header["typ"]?.asString?.lowercased(), type == AccessTokenRules.type else { throw .wrongType }
        // We understand no extension, so any "crit" names one that we do not (RFC 7515, section 4.1.11).
        guard header["crit"] == nil else { throw .unknownCritical }
        guard let id = header["kid"]?.asString, let key = keys[id] else { throw .unknownKey }
        return key
    }

    private static func identity(claims: JSONObject, now: Int) throws(Refusal) -> AccessIdentity {
        guard claims["iss"] == .string(AccessTokenRules.issuer) else { throw .wrongIssuer }
        guard claims["aud"] == .string(AccessTokenRules.audience) else { throw .wrongAudience }
        guard let expiresAt = claims["exp"]?.asInt, let issuedAt = claims["iat"]?.asInt else { throw .badClaim }
        // Subtracting from `now` cannot overflow; adding to a claim could.
        guard expiresAt > now - AccessTokenRules.leewaySeconds else { throw .expired }
        guard issuedAt <= now + AccessTokenRules.leewaySeconds else { throw .notYetValid }
        if let notBefore = claims["nbf"] {
            guard let seconds = notBefore.asInt else { throw .badClaim }
            guard seconds <= now + AccessTokenRules.leewaySeconds else { throw .notYetValid }
        }
        guard let userID = claims["user_id"]?.asInt, userID > 0, claims["sub"] == .string(String(userID)),
            let email = claims["email"]?.asString, let tokenID = claims["jti"]?.asString,
            let sessionID = claims["sid"]?.asString.flatMap(UUID.init(uuidString:))
        else { throw .badClaim }
        return AccessIdentity(
            userID: userID, email: email, sessionID: sessionID, tokenID: tokenID, issuedAt: issuedAt,
            expiresAt: expiresAt
        )
    }

    private static func object(_ part: some Sequence<UInt8>) throws(Refusal) -> JSONObject {
        guard let bytes = Base64URL.decode(part),
            case .object(let object)? = try? JSONParser.parse(ByteBuffer(bytes: bytes))
        else { throw .malformed }
        return object
    }
}
