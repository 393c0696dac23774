/// Text and JSON as bytes of an array: what hot answers and log lines are made of. An array's storage is reached
/// without the checks that each single write to a `ByteBuffer` makes, and these pieces are short.
extension [UInt8] {
    /// Appends ASCII or UTF-8 that stands in the source.
    package mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { append(contentsOf: $0) }
    }

    /// Appends bytes as they are.
    package mutating func append(bytes: UnsafeRawBufferPointer) {
        bytes.withMemoryRebound(to: UInt8.self) { append(contentsOf: $0) }
    }

    /// Appends an integer in decimal, without a string in between.
    package mutating func appendDecimal(_ value: Int) {
        if value < 0 { append(UInt8(ascii: "-")) }
        appendDecimal(value.magnitude, digits: 1)
    }

    /// Appends a number in decimal, with zeros in front when it has fewer than `digits` digits (at most 20).
    package mutating func appendDecimal(_ value: UInt, digits: Int) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { output in
            var rest = value
            var start = 20
            repeat {
                start -= 1
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                output[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
                rest = quotient
            } while rest > 0 || 20 - start < digits
            append(contentsOf: UnsafeBufferPointer(rebasing: output[start...]))
        }
    }

    /// Appends UTF-8 as a JSON string with its quotes. Runs of bytes that need no escape are found eight at a time and
    /// copied at once: nearly every text is one such run.
    package mutating func appendJSONString(_ bytes: UnsafeRawBufferPointer) {
        append(UInt8(ascii: "\""))
        var start = 0
        while true {
            let end = bytes.firstJSONEscape(from: start)
            if end > start { append(bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<end])) }
            if end == bytes.count { break }
            appendJSONEscape(bytes[end])
            start = end + 1
        }
        append(UInt8(ascii: "\""))
    }

    private mutating func appendJSONEscape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append(#"\""#)
        case UInt8(ascii: "\\"): append(#"\\"#)
        case 0x0A: append(#"\n"#)
        case 0x0D: append(#"\r"#)
        case 0x09: append(#"\t"#)
        default:
            append(#"\u00"#)
            append(hexadecimalDigit(byte >> 4))
            append(hexadecimalDigit(byte & 15))
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
