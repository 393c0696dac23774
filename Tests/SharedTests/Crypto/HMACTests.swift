import Shared
import Testing

@Suite("HMAC")
struct HMACTests {
    struct Vector: Sendable {
        let key: [UInt8]
        let message: [UInt8]
        let sha256: String
        let sha512: String

        /// The codes are those of the RFC; the fifth case has only their first 128 bits.
        init(_ key: [UInt8], _ message: [UInt8], _ sha256: String, _ sha512: String) {
            (self.key, self.message, self.sha256, self.sha512) = (key, message, sha256, sha512)
        }
    }

    private static let longKey = [UInt8](repeating: 0xAA, count: 131)

    private static let vectors = [
        Vector(
            .init(repeating: 0x0B, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
                + "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"),
        Vector(
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                + "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"),
        Vector(
            .init(repeating: 0xAA, count: 20), .init(repeating: 0xDD, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
                + "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"),
        Vector(
            Array(1...25), .init(repeating: 0xCD, count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
                + "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd"),
        Vector(
            .init(repeating: 0x0C, count: 20), Array("Test With Truncation".utf8), "a3b6167473100ee06e0c796c2955552b",
            "415fad6271580a531d4179bc891d87a6"),
        Vector(
            longKey, Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
                + "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"),
        Vector(
            longKey,
            Array(
                ("This is a test using a larger than block-size key and a larger than block-size data. "
                    + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
                + "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58"),
    ]

    @Test("the vectors of RFC 4231; a key serves many messages")
    func rfc4231() {
        for vector in Self.vectors {
            let (sha256, sha512) = (HMACKey(vector.key), HMACKey(vector.key, hash: .sha512))
            for _ in 0..<2 {
                let code = sha256.authenticationCode(for: vector.message)
                #expect(code.count == 32 && code.starts(with: [UInt8](hex: vector.sha256)))
                let long = sha512.authenticationCode(for: vector.message)
                #expect(long.count == 64 && long.starts(with: [UInt8](hex: vector.sha512)))
                _ = sha256.authenticationCode(for: [1])
            }
        }
    }

    @Test("the vectors of RFC 2202 for SHA-1")
    func rfc2202() {
        let codes = [
            "b617318655057264e28bc0b6fb378c8ef146be00", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            "125d7342b9ac11cd91a39af48aa17b4f63f175d3",
        ]
        for (vector, code) in zip(Self.vectors, codes) {
            #expect(HMACKey(vector.key, hash: .sha1).authenticationCode(for: vector.message) == [UInt8](hex: code))
        }
    }

    @Test("key and message may be empty")
    func empty() {
        let code = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
        #expect(HMACKey([]).authenticationCode(for: []) == [UInt8](hex: code))
    }

    @Test("a code is valid for its message and key alone, and only as a whole")
    func validity() {
        let (key, message) = (HMACKey("key".utf8), Array("message".utf8))
        let code = key.authenticationCode(for: message)
        #expect(key.isValidAuthenticationCode(code, for: message))
        #expect(!key.isValidAuthenticationCode(code, for: message + [0]))
        #expect(!HMACKey("Key".utf8).isValidAuthenticationCode(code, for: message))
        let others: [[UInt8]] = [[], Array(code.dropLast()), code + [0], [code[0] ^ 1] + code.dropFirst()]
        for other in others { #expect(!key.isValidAuthenticationCode(other, for: message)) }
    }

    @Test("a key serves many threads at once")
    func threads() async {
        let key = HMACKey(Self.vectors[1].key)
        await withTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<64 { group.addTask { key.authenticationCode(for: Self.vectors[1].message) } }
            for await code in group { #expect(code == [UInt8](hex: Self.vectors[1].sha256)) }
        }
    }
}
