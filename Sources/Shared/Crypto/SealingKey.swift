import COpenSSL

/// A key that seals bytes: AES-256-GCM (NIST SP 800-38D). Sealed bytes are nonce, ciphertext and tag, in this order.
package final class SealingKey: Sendable {
    /// Bytes of the key.
    package static let keyBytes = 32
    private static let nonceBytes = 12
    private static let tagBytes = 16

    private let key: KeyBytes

    /// - Parameter key: `keyBytes` bytes.
    package init(_ key: consuming KeyBytes) {
        precondition(key.count == Self.keyBytes, "AES-256 has keys of 32 bytes")
        self.key = key
    }

    /// Seals under a random nonce.
    /// - Parameter context: bytes that are not stored and must be the same when the box is opened.
    package func seal(_ bytes: [UInt8], authenticating context: [UInt8]) throws(CryptoFailure) -> [UInt8] {
        var nonce = [UInt8](repeating: 0, count: Self.nonceBytes)
        try CryptoFailure.check(RAND_bytes(&nonce, Int32(nonce.count)), "RAND_bytes")
        return try seal(bytes, nonce: nonce, authenticating: context)
    }

    /// - Parameter nonce: 12 bytes, never used before under this key.
    func seal(_ bytes: [UInt8], nonce: [UInt8], authenticating context: [UInt8]) throws(CryptoFailure) -> [UInt8] {
        let cipher = try GCMComputation(key, nonce: nonce, isSealing: true)
        try cipher.authenticate(context)
        let ciphertext = try cipher.transform(bytes[...])
        try cipher.finish()
        return nonce + ciphertext + (try cipher.tag(count: Self.tagBytes))
    }

    /// - Throws: `.notAuthentic` when these are not bytes that were sealed under this key with the same `context`.
    package func open(_ sealed: [UInt8], authenticating context: [UInt8]) throws(CryptoFailure) -> [UInt8] {
        guard sealed.count >= Self.nonceBytes + Self.tagBytes else { throw .notAuthentic }
        let nonce = Array(sealed.prefix(Self.nonceBytes))
        let cipher = try GCMComputation(key, nonce: nonce, isSealing: false)
        try cipher.authenticate(context)
        var bytes = try cipher.transform(sealed.dropFirst(Self.nonceBytes).dropLast(Self.tagBytes))
        do throws(CryptoFailure) {
            try cipher.setTag(sealed.suffix(Self.tagBytes))
            try cipher.finish()
        } catch {
            // Nobody may see what was not authentic.
            bytes.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
            throw error
        }
        return bytes
    }
}
