import Foundation
import Shared

/// Who is signed in, as the Session answer shows it.
struct SignedInUser: Sendable, Codable {
    let id: Int
    let email: String
    let name: String
}

/// The contract's *Session answer*.
struct SessionAnswer: Sendable, Codable {
    let token: String
    let tokenType: String
    /// Seconds until `token` expires.
    let expiresIn: Int
    let refreshToken: String
    let user: SignedInUser

    private enum CodingKeys: String, CodingKey {
        case token, user
        case tokenType = "token_type"
        case expiresIn = "expires_in"
        case refreshToken = "refresh_token"
    }
}

/// Makes what a client signs its requests with: access tokens, and the successors of refresh tokens.
struct TokenIssuer: Sendable {
    let limits: SessionLimits
    private let signer: AccessTokenSigner
    private let refreshKeys: [RefreshKey]

    /// - Parameter token: with a previous secret, a replica that still has only that one may have made a successor.
    init(_ token: TokenSettings, limits: SessionLimits) {
        self.limits = limits
        signer = AccessTokenSigner(key: token.keys[0], lifetimeSeconds: limits.accessTokenSeconds)
        refreshKeys = [token.secret, token.previousSecret].compactMap { $0.map { RefreshKey(secret: $0.value.utf8) } }
    }

    /// The token that a refresh with `token` yields.
    func successor(of token: RefreshToken) -> RefreshToken { token.successor(under: refreshKeys[0]) }

    /// The successor of `token` that was stored, under whichever secret it was made; nil when under neither.
    func successor(of token: RefreshToken, hashedAs hash: [UInt8]) -> RefreshToken? {
        refreshKeys.lazy.map(token.successor(under:)).first { $0.hash == hash }
    }

    func answer(sid: UUID, user: SignedInUser, refreshToken: RefreshToken) -> SessionAnswer {
        let now = Int(Date().timeIntervalSince1970)
        return SessionAnswer(
            token: signer.sign(userID: user.id, email: user.email, sessionID: sid, now: now), tokenType: "Bearer",
            expiresIn: limits.accessTokenSeconds, refreshToken: refreshToken.text, user: user)
    }
}
