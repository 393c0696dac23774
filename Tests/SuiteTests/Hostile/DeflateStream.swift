import Foundation

/// A deflate stream (RFC 1951) of one block with the fixed codes, made by hand: much from little, for files that mean
/// harm.
struct DeflateStream {
    private(set) var bytes: [UInt8] = []
    /// What the stream inflates to.
    private(set) var inflatedCount = 0
    private var bits: UInt64 = 0
    private var bitCount = 0

    /// A last block, type 1: its three header bits.
    init() {
        put(1, 1)
        put(1, 2)
    }

    /// Bytes as they are.
    mutating func literal(_ text: some Sequence<UInt8>) {
        for byte in text {
            // RFC 1951, 3.2.6: 0 to 143 have 8 bits from 00110000 on, 144 to 255 have 9 bits from 110010000 on.
            if byte < 144 { putCode(0x30 + UInt64(byte), 8) } else { putCode(0x190 + UInt64(byte) - 144, 9) }
            inflatedCount += 1
        }
    }

    /// The last `period` bytes, at most 8, over and over, until `count` more are made.
    mutating func again(period: Int, count: Int) {
        // Distance codes 0 to 3 stand for themselves, 4 and 5 have one bit more: 5 and 6, 7 and 8.
        let code = period <= 4 ? period - 1 : 4 + (period - 5) / 2
        for _ in 0..<(count / 258) {
            putCode(0xC0 + 285 - 280, 8)
            putCode(UInt64(code), 5)
            if code >= 4 { put(UInt64((period - 5) % 2), 1) }
        }
        inflatedCount += count / 258 * 258
    }

    /// Ends the block.
    mutating func end() {
        putCode(0, 7)
        if bitCount > 0 { put(0, 8 - bitCount) }
    }

    /// Codes go most significant bit first, everything else least significant bit first.
    private mutating func putCode(_ code: UInt64, _ count: Int) {
        var reversed: UInt64 = 0
        for bit in 0..<count where code >> bit & 1 == 1 { reversed |= 1 << (count - 1 - bit) }
        put(reversed, count)
    }

    private mutating func put(_ value: UInt64, _ count: Int) {
        bits |= value << bitCount
        bitCount += count
        while bitCount >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            bitCount -= 8
        }
    }
}

extension [UInt8] {
    /// CRC-32 as PNG and ZIP have it (ISO 3309).
    var crc32: UInt32 {
        var crc = ~UInt32(0)
        for byte in self {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }

    init(big value: UInt32) { self = Swift.withUnsafeBytes(of: value.bigEndian, Array.init) }
    init(little value: UInt32) { self = Swift.withUnsafeBytes(of: value.littleEndian, Array.init) }
    init(little value: UInt16) { self = Swift.withUnsafeBytes(of: value.littleEndian, Array.init) }
}
