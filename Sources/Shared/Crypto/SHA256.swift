import COpenSSL

/// SHA-256 (FIPS 180-4) of bytes that come in pieces.
///
/// Owns libcrypto's state of one computation. It is not Sendable: one thread after another may use it, but never two.
package struct SHA256: ~Copyable {
    /// Bytes of a hash.
    package static let byteCount = 32

    private let context: OpaquePointer

    package init() {
        context = CryptoFailure.require(EVP_MD_CTX_new(), "EVP_MD_CTX_new")
        CryptoFailure.require(EVP_DigestInit_ex(context, parley_sha256(), nil), "EVP_DigestInit_ex")
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Adds bytes.
    package mutating func update(bufferPointer bytes: UnsafeRawBufferPointer) {
        CryptoFailure.require(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count), "EVP_DigestUpdate")
    }

    /// Adds bytes.
    package mutating func update(data: some Collection<UInt8>) {
        data.withContiguousBytes { update(bufferPointer: $0) }
    }

    /// The hash of all bytes added.
    package consuming func finalize() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.byteCount) { hash, count in
            CryptoFailure.require(EVP_DigestFinal_ex(context, hash.baseAddress, nil), "EVP_DigestFinal_ex")
            count = Self.byteCount
        }
    }

    /// The hash of bytes that are all there.
    package static func hash(data: some Collection<UInt8>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCount) { hash, count in
            data.withContiguousBytes { bytes in
                let code = EVP_Digest(bytes.baseAddress, bytes.count, hash.baseAddress, nil, parley_sha256(), nil)
                CryptoFailure.require(code, "EVP_Digest")
            }
            count = byteCount
        }
    }
}
