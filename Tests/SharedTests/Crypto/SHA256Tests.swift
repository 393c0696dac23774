import Shared
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    /// The messages of FIPS 180-4's examples and of RFC 6234, section 8.5.
    private static let vectors = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
                + "nopqrstu", "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
        (
            String(repeating: "01234567", count: 80),
            "594847328451bdfa85056225462cc1d867d877fb388df0ce35f25ab5562bfbb5"
        ),
    ]

    @Test("the vectors of FIPS 180-4 and RFC 6234, at once and in pieces")
    func vectors() {
        for (message, hash) in Self.vectors {
            #expect(SHA256.hash(data: message.utf8) == [UInt8](hex: hash))
            var pieces = SHA256()
            pieces.update(data: message.utf8.prefix(1))
            pieces.update(data: message.utf8.dropFirst())
            let result = pieces.finalize()
            #expect(result == [UInt8](hex: hash))
        }
    }

    @Test("pieces of any size, empty ones among them, give the hash of the whole")
    func pieces() {
        let message = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let whole = SHA256.hash(data: message)
        for size in [1, 3, 31, 55, 56, 63, 64, 65, 127, 129, 999] {
            var hash = SHA256()
            for start in stride(from: 0, to: message.count, by: size) {
                hash.update(data: message[start..<min(start + size, message.count)])
                hash.update(data: [])
            }
            let result = hash.finalize()
            #expect(result == whole, "pieces of \(size) bytes")
        }
    }

    @Test("bytes that do not lie in one piece are hashed all the same")
    func scattered() {
        let message: ReversedCollection<[UInt8]> = [1, 2, 3, 4].reversed()
        #expect(SHA256.hash(data: message) == SHA256.hash(data: [4, 3, 2, 1]))
    }

    @Test("many threads may hash at once, also the first time")
    func threads() async {
        await withTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<64 { group.addTask { SHA256.hash(data: "abc".utf8) } }
            for await hash in group { #expect(hash == [UInt8](hex: Self.vectors[1].1)) }
        }
    }
}

@Suite("Constant-time comparison")
struct ConstantTimeTests {
    @Test("equal bytes are equal; one that differs, is missing or is too many makes a difference")
    func comparison() {
        let bytes = Array("0123456789".utf8)
        #expect(ConstantTime.areEqual(bytes, "0123456789".utf8))
        #expect(ConstantTime.areEqual([], []))
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0x80
            #expect(!ConstantTime.areEqual(bytes, changed))
        }
        let others: [[UInt8]] = [Array(bytes.dropLast()), Array(bytes.dropFirst()), bytes + [0], []]
        for other in others {
            #expect(!ConstantTime.areEqual(bytes, other) && !ConstantTime.areEqual(other, bytes))
        }
    }
}
