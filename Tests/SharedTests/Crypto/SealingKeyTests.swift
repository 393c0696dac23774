import Testing

@testable import Shared

@Suite("AES-256-GCM")
struct SealingKeyTests {
    struct Vector: Sendable {
        let key, nonce, text, context, ciphertext, tag: [UInt8]

        init(_ key: String, _ nonce: String, _ text: String, _ context: String, _ ciphertext: String, _ tag: String) {
            (self.key, self.nonce, self.text) = (.init(hex: key), .init(hex: nonce), .init(hex: text))
            (self.context, self.ciphertext, self.tag) = (.init(hex: context), .init(hex: ciphertext), .init(hex: tag))
        }
    }

    private static let zeroKey = String(repeating: "00", count: 32)
    private static let zeroNonce = String(repeating: "00", count: 12)
    private static let key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
    private static let nonce = "cafebabefacedbaddecaf888"
    private static let text =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    private static let ciphertext =
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

    @Test(
        "the test cases 13 to 16 of the proposal of GCM to NIST",
        arguments: [
            Vector(zeroKey, zeroNonce, "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
            Vector(
                zeroKey, zeroNonce, "00000000000000000000000000000000", "", "cea7403d4d606b6e074ec5d3baf39d18",
                "d0d1c8a799996bf0265b98b5d48ab919"),
            Vector(
                key, nonce, text + "1aafd255", "", ciphertext + "898015ad", "b094dac5d93471bdec1a502270e3cc6c"),
            Vector(
                key, nonce, text, "feedfacedeadbeeffeedfacedeadbeefabaddad2", ciphertext,
                "76fc6ece0f4e1768cddf8853bb2d551b"),
        ])
    func vectors(_ vector: Vector) throws {
        let key = SealingKey(KeyBytes(vector.key))
        let sealed = try key.seal(vector.text, nonce: vector.nonce, authenticating: vector.context)
        #expect(sealed == vector.nonce + vector.ciphertext + vector.tag)
        #expect(try key.open(sealed, authenticating: vector.context) == vector.text)
    }

    @Test(
        "what swift-crypto 4.5 sealed, as this service did before it used libcrypto, opens",
        arguments: [
            (
                "a secret of twenty b", "42",
                "e331dece7845c8c093902fed5513ef38a40480f2e86a7c5d54780f5b292adac94fc1f9714d1b5458e5397a1951605d8c"
            ), ("", "", "5f04906402c1fb7fb4a0606efbba748a2607531bc5d250b249fb01d9"),
        ])
    func earlier(_ text: String, _ context: String, _ sealed: String) throws {
        let key = SealingKey(KeyBytes(Array(0..<32)))
        #expect(try key.open([UInt8](hex: sealed), authenticating: Array(context.utf8)) == Array(text.utf8))
    }

    @Test("one changed bit of nonce, ciphertext, tag or context, and nothing opens", arguments: [0, 1, 20, 300])
    func tampered(_ length: Int) throws {
        let key = SealingKey(KeyBytes(Array(0..<32)))
        let (text, context) = ([UInt8](repeating: 7, count: length), Array("context".utf8))
        let sealed = try key.seal(text, authenticating: context)
        #expect(try key.open(sealed, authenticating: context) == text)
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(throws: CryptoFailure.notAuthentic) { try key.open(changed, authenticating: context) }
        }
        let others: [[UInt8]] = [
            [], Array(context.dropLast()), context + [0], [context[0] ^ 1] + context.dropFirst(),
        ]
        for other in others {
            #expect(throws: CryptoFailure.notAuthentic) { try key.open(sealed, authenticating: other) }
        }
        for count in 0..<sealed.count {
            #expect(throws: CryptoFailure.notAuthentic) {
                try key.open(Array(sealed.prefix(count)), authenticating: context)
            }
        }
        let stranger = SealingKey(KeyBytes(Array(1...32)))
        #expect(throws: CryptoFailure.notAuthentic) { try stranger.open(sealed, authenticating: context) }
    }

    @Test("each sealing has a nonce of its own")
    func nonces() throws {
        let key = SealingKey(KeyBytes(Array(0..<32)))
        let nonces = try (0..<1_000).map { _ in try key.seal([], authenticating: []).prefix(12) }
        #expect(Set(nonces).count == 1_000)
    }
}
