import COpenSSL
import Synchronization

/// The hash functions that HMAC is used with here.
package enum HashAlgorithm: String, Sendable {
    /// For time-based one-time passwords only.
    case sha1 = "SHA1"
    case sha256 = "SHA2-256"
    case sha512 = "SHA2-512"
}

/// A key for HMAC (RFC 2104), ready for use: its pads are hashed once and not for every message.
///
/// libcrypto has the only copy of the key and overwrites it when it is released. A computation holds the lock, for
/// about a microsecond with a message of the size of a token.
package final class HMACKey: Sendable {
    private let computation: Mutex<HMACComputation>

    package init(_ key: borrowing KeyBytes, hash: HashAlgorithm = .sha256) {
        computation = Mutex(HMACComputation(key, hash: hash))
    }

    /// Copies the bytes of a key.
    package convenience init(_ key: some Collection<UInt8>, hash: HashAlgorithm = .sha256) {
        self.init(KeyBytes(key), hash: hash)
    }

    /// The code of a message.
    package func authenticationCode(for message: [UInt8]) -> [UInt8] {
        computation.withLock { $0.authenticationCode(for: message) }
    }

    /// Returns true if `code` belongs to the message. Compares in constant time.
    package func isValidAuthenticationCode(_ code: [UInt8], for message: [UInt8]) -> Bool {
        ConstantTime.areEqual(authenticationCode(for: message), code)
    }
}

/// Owns libcrypto's state of HMAC under one key, which serves one message after another.
private struct HMACComputation: ~Copyable {
    private let context: OpaquePointer
    private let byteCount: Int

    init(_ key: borrowing KeyBytes, hash: HashAlgorithm) {
        // Must come before any other use of libcrypto. Otherwise exit(3) would free the algorithms while other threads
        // still hash.
        CryptoFailure.require(OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil), "OPENSSL_init_crypto")
        let algorithm = CryptoFailure.require(EVP_MAC_fetch(nil, "HMAC", nil), "EVP_MAC_fetch")
        let context = CryptoFailure.require(EVP_MAC_CTX_new(algorithm), "EVP_MAC_CTX_new")
        EVP_MAC_free(algorithm)
        key.withUnsafeBytes { key in
            CryptoFailure.require(parley_mac_start(context, hash.rawValue, key.baseAddress, key.count), "EVP_MAC_init")
        }
        self.context = context
        byteCount = EVP_MAC_CTX_get_mac_size(context)
        // Before OpenSSL 3.0.3, restarting does nothing and reports success, and later codes are wrong (issue 17811).
        // This checks the behavior and not the version, because a FIPS provider has a version of its own.
        let (first, second) = (authenticationCode(for: []), authenticationCode(for: []))
        precondition(first == second, "this libcrypto does not start an HMAC anew; OpenSSL 3.0.3 or later does")
    }

    deinit { EVP_MAC_CTX_free(context) }

    mutating func authenticationCode(for message: [UInt8]) -> [UInt8] {
        // Without a key it starts anew under the one it has.
        CryptoFailure.require(EVP_MAC_init(context, nil, 0, nil), "EVP_MAC_init")
        message.withUnsafeBytes { bytes in
            let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
            CryptoFailure.require(EVP_MAC_update(context, start, bytes.count), "EVP_MAC_update")
        }
        return [UInt8](unsafeUninitializedCapacity: byteCount) { code, count in
            CryptoFailure.require(EVP_MAC_final(context, code.baseAddress, &count, code.count), "EVP_MAC_final")
        }
    }
}
