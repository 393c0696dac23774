package import NIOCore

extension ByteBuffer {
    /// Appends an integer in decimal, without a string in between.
    package mutating func writeDecimal(_ value: Int) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: 20) { output in
            var digits = value.magnitude
            var length = value < 0 ? 1 : 0
            var rest = digits
            repeat {
                length += 1
                rest /= 10
            } while rest > 0
            for index in stride(from: length - 1, through: value < 0 ? 1 : 0, by: -1) {
                output[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digits % 10)
                digits /= 10
            }
            if value < 0 { output[0] = UInt8(ascii: "-") }
            return length
        }
    }

    /// Appends UTF-8 as a JSON string with its quotes. Runs of bytes that need no escape are found eight at a time and
    /// copied at once: nearly every text is one such run.
    package mutating func writeJSONString(_ bytes: UnsafeRawBufferPointer) {
        reserveCapacity(minimumWritableBytes: bytes.count + 2)
        writeInteger(UInt8(ascii: "\""))
        var start = 0
        while true {
            let end = bytes.firstJSONEscape(from: start)
            if end > start { writeBytes(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) }
            if end == bytes.count { break }
            writeJSONEscape(bytes[end])
            start = end + 1
        }
        writeInteger(UInt8(ascii: "\""))
    }

    private mutating func writeJSONEscape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): writeStaticString(#"\""#)
        case UInt8(ascii: "\\"): writeStaticString(#"\\"#)
        case 0x0A: writeStaticString(#"\n"#)
        case 0x0D: writeStaticString(#"\r"#)
        case 0x09: writeStaticString(#"\t"#)
        default:
            writeStaticString(#"\u00"#)
            writeInteger(hexadecimalDigit(byte >> 4))
            writeInteger(hexadecimalDigit(byte & 15))
        }
    }
}

private func hexadecimalDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}

extension UnsafeRawBufferPointer {
    /// The index of the first byte from `start` on that a JSON string cannot hold as it is (RFC 8259, section 7:
    /// quotation mark, reverse solidus, below 0x20), or `count`.
    fileprivate func firstJSONEscape(from start: Int) -> Int {
        var index = start
        while index + 8 <= count {
            let word = loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if word.hasJSONEscape { break }
            index += 8
        }
        while index < count {
            let byte = self[index]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return index }
            index += 1
        }
        return count
    }
}

extension UInt64 {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// Whether one of the eight bytes needs an escape. The classic trick: subtracting borrows into the high bit of a
    /// byte that is smaller, and XOR makes an equal byte zero. A borrow can only cause a false alarm in the byte above
    /// a true one, so the answer for the whole word is exact.
    fileprivate var hasJSONEscape: Bool {
        let quote = self ^ (Self.ones &* 0x22)
        let solidus = self ^ (Self.ones &* 0x5C)
        let below = (self &- Self.ones &* 0x20) & ~self
        let quotes = (quote &- Self.ones) & ~quote
        let soliduses = (solidus &- Self.ones) & ~solidus
        return (below | quotes | soliduses) & Self.highs != 0
    }
}
