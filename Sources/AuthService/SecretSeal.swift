import Shared

/// Seals what must be stored and read again, such as TOTP secrets: AES-256-GCM under a key that is not in the database.
///
/// The key is derived from `JWT_SECRET` by HKDF under a name of its own, so that there is one secret to keep and
/// neither use weakens the other. What is sealed names its key. A rotation of `JWT_SECRET` therefore loses nothing: the
/// old one opens as long as it is `JWT_SECRET_PREVIOUS`, and `ExpirySweep` seals anew, within minutes, what it opens.
struct SecretSeal: Sendable {
    /// Something sealed, as a row has it.
    struct Sealed: Sendable, Equatable {
        let keyID: String
        let bytes: [UInt8]
    }

    private let keys: [(id: String, key: SealingKey)]

    /// - Parameter token: the present secret seals and opens, the previous one opens.
    init(_ token: TokenSettings) {
        keys = [token.secret, token.previousSecret].compactMap { $0 }.map { secret in
            let key = HKDF.deriveKey(
                from: KeyBytes(secret.value.utf8), info: Array("parley second factor seal".utf8),
                count: SealingKey.keyBytes)
            let name = HMACKey(key).authenticationCode(for: Array("parley seal key id".utf8))
            return (String(Base64URL.encode(name).prefix(16)), SealingKey(key))
        }
    }

    /// The key that seals now.
    var keyID: String { keys[0].id }

    /// - Parameter user: whose it is; opening it as somebody else's fails, so that rows cannot be exchanged.
    func seal(_ secret: [UInt8], ofUser user: Int) throws -> Sealed {
        let bytes = try keys[0].key.seal(secret, authenticating: Array(String(user).utf8))
        return Sealed(keyID: keyID, bytes: bytes)
    }

    /// Nil when the key is not known here, or the bytes are not what was sealed for this user.
    func open(_ sealed: Sealed, ofUser user: Int) -> [UInt8]? {
        guard let key = keys.first(where: { $0.id == sealed.keyID })?.key else { return nil }
        return try? key.open(sealed.bytes, authenticating: Array(String(user).utf8))
    }
}
