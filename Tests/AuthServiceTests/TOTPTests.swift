import Testing

@testable import AuthService

@Suite("TOTP")
struct TOTPTests {
    private static let digits = Array("1234567890".utf8)

    /// The secret of the RFCs: the ten digits again and again.
    private static func secret(_ count: Int) -> [UInt8] { (0..<count).map { digits[$0 % 10] } }

    @Test(
        "the vectors of RFC 6238, appendix B",
        arguments: [
            (59, "94287082", "46119246", "90693936"), (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"), (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"), (20_000_000_000, "65353130", "77737706", "47863826"),
        ])
    func rfc6238(_ time: Int, _ sha1: String, _ sha256: String, _ sha512: String) {
        let step = time / TOTP.secondsPerStep
        #expect(TOTP.code(.sha1, secret: Self.secret(20), step: step, digits: 8) == sha1)
        #expect(TOTP.code(.sha256, secret: Self.secret(32), step: step, digits: 8) == sha256)
        #expect(TOTP.code(.sha512, secret: Self.secret(64), step: step, digits: 8) == sha512)
    }

    @Test("the vectors of RFC 4226, appendix D")
    func rfc4226() {
        let codes = (0..<10).map { TOTP.code(.sha1, secret: Self.secret(20), step: $0) }
        #expect(
            codes == [
                "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
            ])
    }

    @Test("codes of the steps before and after are taken, of no other, and none of a step that was used")
    func window() {
        let totp = TOTP(secret: Self.secret(20))
        let code = TOTP.code(.sha1, secret: Self.secret(20), step: 100)
        #expect([98, 99, 100, 101, 102].map { totp.step(of: code, near: $0, after: 0) } == [nil, 100, 100, 100, nil])
        #expect(totp.step(of: code, near: 100, after: 99) == 100)
        #expect(totp.step(of: code, near: 100, after: 100) == nil)
        for wrong in ["", "1", code + "0", "-" + code.dropFirst(), "１２３４５６"] {
            #expect(totp.step(of: wrong, near: 100, after: 0) == nil)
        }
    }

    @Test("the vectors of RFC 4648, section 10, without padding")
    func base32() {
        let pairs = [
            ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ]
        for (bytes, text) in pairs { #expect(Base32.encode(bytes.utf8) == text) }
    }

    @Test("the address that an app scans names the account, whatever characters it has")
    func address() throws {
        let account = try #require(EmailAddress("a+b&c=d@example.com"))
        #expect(
            TOTP(secret: Self.secret(20)).address(account: account)
                == "otpauth://totp/Parley:a%2Bb%26c%3Dd%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                + "&issuer=Parley&algorithm=SHA1&digits=6&period=30")
    }

    @Test("a recovery code is read in any case and however it is grouped, and is no code of the app")
    func recoveryCodes() throws {
        let code = RecoveryCode()
        #expect(code.text.wholeMatch(of: /([A-Z2-7]{4}-){3}[A-Z2-7]{4}/) != nil)
        for typed in [code.text.lowercased(), code.text.filter { $0 != "-" }, code.text.replacing("-", with: " ")] {
            #expect(try #require(RecoveryCode(typed)).hash == code.hash)
        }
        #expect(RecoveryCode("123456") == nil && RecoveryCode(String(repeating: " ", count: 9_999)) == nil)
        #expect("\(code) \(TOTP.random())" == "RecoveryCode(••••) TOTP(••••)")
    }
}
