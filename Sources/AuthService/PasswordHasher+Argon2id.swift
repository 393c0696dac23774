import CSodium
import Foundation

/// libsodium's `crypto_pwhash_str` family, and nothing around it. Every call blocks for the whole hash.
///
/// libsodium maps the memory of a hash for the time of the call and unmaps it afterwards.
enum Argon2id {
    /// The system would not give the memory of one hash.
    struct OutOfMemory: Error {}

    /// A fresh salt each time, so that equal passwords have unequal hashes.
    static func hash(_ password: Password, cost: PasswordHasher.Cost) throws(OutOfMemory) -> String {
        var text = [CChar](repeating: 0, count: crypto_pwhash_strbytes())
        let status = password.withChars { chars, count in
            crypto_pwhash_str_alg(&text, chars, count, cost.passes, cost.memoryBytes, crypto_pwhash_alg_argon2id13())
        }
        // The manual names running out of memory as the only way to fail.
        guard status == 0 else { throw OutOfMemory() }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// False also for a text that is no hash.
    ///
    /// Not by `crypto_pwhash_str_verify`, which says the same of a wrong password and of memory that it was not given:
    /// nobody is to be told that a right password is wrong. The hash is made again as its text says, and compared in
    /// constant time.
    static func verify(_ password: Password, against hash: String) throws(OutOfMemory) -> Bool {
        guard let stored = StoredHash(hash) else { return false }
        var made = [UInt8](repeating: 0, count: stored.bytes.count)
        let status = password.withChars { chars, count in
            crypto_pwhash(
                &made, UInt64(made.count), chars, count, stored.salt, stored.passes, stored.memoryBytes,
                crypto_pwhash_alg_argon2id13())
        }
        guard status == 0 else { throw OutOfMemory() }
        return sodium_memcmp(made, stored.bytes, made.count) == 0
    }

    /// Whether `hash` was made at another cost than this one.
    static func isOutdated(_ hash: String, cost: PasswordHasher.Cost) -> Bool {
        crypto_pwhash_str_needs_rehash(hash, cost.passes, cost.memoryBytes) == 1
    }
}

extension Password {
    /// The NUL behind the bytes is not counted; it is there so that an empty password has an address, too.
    fileprivate func withChars<R>(_ body: (UnsafePointer<CChar>, UInt64) -> R) -> R {
        let chars = bytes.map(CChar.init(bitPattern:)) + [0]
        return body(chars, UInt64(bytes.count))
    }

    /// One that nobody knows.
    static func random() -> Password {
        var generator = SystemRandomNumberGenerator()
        return Password(bytes: (0..<32).map { _ in .random(in: .min ... .max, using: &generator) })
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }
}

/// A hash as `crypto_pwhash_str` writes it (PHC string format): `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, the last
/// two in base 64 without padding. Lengths and lanes are those that libsodium always uses.
private struct StoredHash {
    private static let hashBytes = 32
    private static let kibibytesMax = 4 << 20
    let passes: UInt64
    let memoryBytes: Int
    let salt: [UInt8]
    let bytes: [UInt8]

    init?(_ text: String) {
        guard text.utf8.count < crypto_pwhash_strbytes(),
            let match = text.wholeMatch(of: #/\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$([^$]+)\$([^$]+)/#),
            let kibibytes = Int(match.1), (8...Self.kibibytesMax).contains(kibibytes),
            let passes = UInt64(match.2), (1...1_000).contains(passes),
            let salt = Self.decoded(match.3), salt.count == crypto_pwhash_saltbytes(),
            let bytes = Self.decoded(match.4), bytes.count == Self.hashBytes
        else { return nil }
        (self.passes, memoryBytes, self.salt, self.bytes) = (passes, kibibytes * 1_024, salt, bytes)
    }

    private static func decoded(_ text: Substring) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        return Data(base64Encoded: text + padding).map(Array.init)
    }
}
