import COpenSSL

/// Derives keys from a secret: HKDF with SHA-256 (RFC 5869).
package enum HKDF {
    /// - Parameters:
    ///   - secret: not empty.
    ///   - salt: may be empty.
    ///   - info: what the key is for; other words give another key. At most 1024 bytes, which is libcrypto's bound.
    ///   - count: bytes of the key, 1 to 8160.
    package static func deriveKey(
        from secret: borrowing KeyBytes, salt: [UInt8] = [], info: [UInt8], count: Int
    ) -> KeyBytes {
        precondition(secret.count > 0 && info.count <= 1024 && (1...255 * SHA256.byteCount).contains(count))
        let algorithm = CryptoFailure.require(EVP_KDF_fetch(nil, "HKDF", nil), "EVP_KDF_fetch")
        let context = CryptoFailure.require(EVP_KDF_CTX_new(algorithm), "EVP_KDF_CTX_new")
        EVP_KDF_free(algorithm)
        defer { EVP_KDF_CTX_free(context) }
        return KeyBytes(count: count) { output in
            let code = secret.withUnsafeBytes { secret in
                salt.withUnsafeBytes { salt in
                    info.withUnsafeBytes { info in
                        parley_hkdf_sha256(
                            context, secret.baseAddress, secret.count, salt.baseAddress, salt.count, info.baseAddress,
                            info.count, output.baseAddress, output.count)
                    }
                }
            }
            CryptoFailure.require(code, "EVP_KDF_derive")
        }
    }
}
