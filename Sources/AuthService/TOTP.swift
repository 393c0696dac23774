import Shared

/// Time-based one-time passwords: RFC 6238 over RFC 4226, as every authenticator app makes them.
///
/// SHA-1, six digits and 30 seconds, because common apps ignore any other choice in the address they scan. HMAC does
/// not lean on what is broken in SHA-1 (RFC 6238 section 1.2, RFC 6194 section 3.3).
struct TOTP: Sendable {
    static let digits = 6
    static let secondsPerStep = 30
    /// RFC 4226 section 4, R6: 160 bits are recommended.
    static let secretBytes = 20
    /// Steps before and after the present one whose codes are taken, for a clock that is off and for slow typing (RFC
    /// 6238 section 5.2).
    static let stepsOff = 1

    /// What is shared with the app.
    let secret: [UInt8]

    /// One that nobody else has.
    static func random() -> TOTP {
        var generator = SystemRandomNumberGenerator()
        return TOTP(secret: (0..<secretBytes).map { _ in .random(in: .min ... .max, using: &generator) })
    }

    /// The step within reach of `step`, later than `lastUsed`, whose code this is; the newest if there are several.
    ///
    /// Looks at every step within reach, whichever it is, and compares in constant time.
    func step(of code: String, near step: Int, after lastUsed: Int) -> Int? {
        var found: Int?
        for candidate in (step - Self.stepsOff)...(step + Self.stepsOff) {
            let isRight = ConstantTime.areEqual(Self.code(.sha1, secret: secret, step: candidate).utf8, code.utf8)
            if isRight, candidate > lastUsed { found = candidate }
        }
        return found
    }

    /// The code of one time step (RFC 4226 section 5.3, with the step as the counter).
    static func code(_ hash: HashAlgorithm, secret: [UInt8], step: Int, digits: Int = digits) -> String {
        let counter = withUnsafeBytes(of: UInt64(clamping: step).bigEndian) { Array($0) }
        let mac = HMACKey(secret, hash: hash).authenticationCode(for: counter)
        let offset = Int(mac[mac.count - 1] & 0xF)
        let number = mac[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } & 0x7FFF_FFFF
        let modulus = (0..<digits).reduce(1) { product, _ in product * 10 }
        let text = String(number % modulus)
        return String(repeating: "0", count: digits - text.count) + text
    }

    /// What an app scans (the "Key Uri Format" that they all read); shows the account under the name of this product.
    func address(account: EmailAddress) -> String {
        let label = account.text.utf8.map(Self.percentEncoded).joined()
        let secret = Base32.encode(secret)
        return "otpauth://totp/Parley:\(label)?secret=\(secret)&issuer=Parley&algorithm=SHA1"
            + "&digits=\(Self.digits)&period=\(Self.secondsPerStep)"
    }

    /// RFC 3986 section 2.3: what is not unreserved is written as two hexadecimal digits.
    private static func percentEncoded(_ byte: UInt8) -> String {
        let isUnreserved =
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: "-._~".utf8.contains(byte)
            }
        if isUnreserved { return String(UnicodeScalar(byte)) }
        let digits = String(byte, radix: 16, uppercase: true)
        return byte < 16 ? "%0" + digits : "%" + digits
    }
}

extension TOTP: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "TOTP(••••)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// Base 32 without padding (RFC 4648 section 6): what people can read out and type.
enum Base32 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var (text, bits, value) = ([UInt8](), 0, UInt32(0))
        for byte in bytes {
            value = value << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(alphabet[Int(value >> UInt32(bits) & 31)])
            }
        }
        if bits > 0 { text.append(alphabet[Int(value << UInt32(5 - bits) & 31)]) }
        return String(decoding: text, as: UTF8.self)
    }
}
