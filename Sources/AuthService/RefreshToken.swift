import Shared

/// The secret that gets a session its next access token: used once, and replaced by its successor.
///
/// 48 random-looking bytes, 64 characters of base64url: a 128-bit *selector* that a session keeps for life, and a
/// 256-bit secret that is new at every refresh. The selector is what finds the session of a token that is no longer the
/// current one, so that reuse can end it; it is in no access token, so whoever presents a right selector with a wrong
/// secret has had a real token of this session. The database has SHA-256 of both, never the token.
///
/// The secret of the successor is HMAC-SHA256 of the token that is replaced, under a key derived from `JWT_SECRET`: two
/// tabs that refresh with one token get the same successor without anybody storing it, on any replica.
struct RefreshToken: Sendable, Equatable {
    private static let selectorBytes = 16
    private static let secretBytes = 32
    /// Characters of the text form.
    static let characters = 64

    private let bytes: [UInt8]

    /// The first token of a new session.
    init() {
        var generator = SystemRandomNumberGenerator()
        bytes = (0..<(Self.selectorBytes + Self.secretBytes)).map { _ in .random(in: .min ... .max, using: &generator) }
    }

    /// Nil when `text` cannot be a token this service has ever given out.
    init?(_ text: String) {
        guard text.utf8.count == Self.characters, let bytes = Base64URL.decode(text.utf8) else { return nil }
        self.bytes = bytes
    }

    private init(selector: ArraySlice<UInt8>, secret: some Sequence<UInt8>) { bytes = Array(selector) + secret }

    /// What the client keeps: base64url (RFC 4648 section 5) without padding.
    var text: String { Base64URL.encode(bytes) }

    /// SHA-256 of the selector: the same for all tokens of a session.
    var selectorHash: [UInt8] { SHA256.hash(data: selector) }

    /// SHA-256 of the whole token.
    var hash: [UInt8] { SHA256.hash(data: bytes) }

    /// The token that replaces this one: always the same under the same key.
    func successor(under key: RefreshKey) -> RefreshToken {
        RefreshToken(selector: selector, secret: key.key.authenticationCode(for: bytes))
    }

    private var selector: ArraySlice<UInt8> { bytes[..<Self.selectorBytes] }
}

extension RefreshToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "RefreshToken(••••)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// The key under which successors are derived: from `JWT_SECRET` by HKDF (RFC 5869), so that neither use of the secret
/// weakens the other.
struct RefreshKey: Sendable {
    let key: HMACKey

    init(secret: some Collection<UInt8>) {
        key = HMACKey(
            HKDF.deriveKey(
                from: KeyBytes(secret), info: Array("parley refresh token successor".utf8), count: SHA256.byteCount))
    }
}
