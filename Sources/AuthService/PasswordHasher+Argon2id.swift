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
    static func verify(_ password: Password, against hash: String) -> Bool {
        // The C side reads up to the NUL or 128 bytes, whichever is first.
        guard hash.utf8.count < crypto_pwhash_strbytes() else { return false }
        return password.withChars { chars, count in crypto_pwhash_str_verify(hash, chars, count) == 0 }
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
