package import NIOCore

/// A strict reader of one JSON document (RFC 8259): for bodies and tokens, where leniency is a hole.
///
/// Refused besides bad grammar: duplicate member names, anything after the document, a byte order mark, NUL (also as
/// `\u0000`), lone surrogates, invalid UTF-8, more than `depthMax` levels, and numbers over 64 characters. The depth
/// bound is also what bounds the recursion.
package struct JSONParser {
    /// How deep arrays and objects may be nested.
    package static let depthMax = 64
    /// How long a number may be, in characters: more than any number that a 64-bit integer or double needs.
    package static let numberBytesMax = 64

    /// Where and why the bytes are not acceptable JSON. For the log and for tests; callers get a fixed sentence.
    package struct Failure: Error, Equatable {
        package let offset: Int
        package let reason: Reason

        /// The kinds of fault.
        package enum Reason: String, Sendable {
            case unexpectedByte, unexpectedEnd, trailingBytes, tooDeep, duplicateMember, nul, loneSurrogate
            case invalidUTF8, invalidEscape, controlCharacter, invalidNumber
        }
    }

    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    private init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Reads the one document that `bytes` must be.
    package static func parse(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> JSONValue {
        var parser = JSONParser(bytes)
        let value = try parser.value(depth: 0)
        parser.skipWhitespace()
        guard parser.position == bytes.count else { throw parser.failure(.trailingBytes) }
        return value
    }

    /// Reads the one document that the readable bytes of `buffer` must be.
    package static func parse(_ buffer: ByteBuffer) throws(Failure) -> JSONValue {
        let result: Result<JSONValue, Failure> = buffer.withUnsafeReadableBytes { bytes in
            do throws(Failure) { return .success(try parse(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private func failure(_ reason: Failure.Reason) -> Failure { Failure(offset: position, reason: reason) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipWhitespace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONValue {
        skipWhitespace()
        guard let byte = current else { throw failure(.unexpectedEnd) }
        switch byte {
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: throw failure(byte == 0 ? .nul : .unexpectedByte)
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        let length = text.utf8CodeUnitCount
        let end = position + length
        guard end <= bytes.count else { throw failure(.unexpectedEnd) }
        let expected = UnsafeRawBufferPointer(start: text.utf8Start, count: length)
        guard bytes[position..<end].elementsEqual(expected) else { throw failure(.unexpectedByte) }
        position = end
        return value
    }

    private mutating func object(depth: Int) throws(Failure) -> JSONObject {
        guard depth <= Self.depthMax else { throw failure(.tooDeep) }
        position += 1
        var members: [JSONObject.Member] = []
        var names = MemberNames()
        skipWhitespace()
        if current == UInt8(ascii: "}") {
            position += 1
            return JSONObject()
        }
        while true {
            skipWhitespace()
            guard let byte = current else { throw failure(.unexpectedEnd) }
            guard byte == UInt8(ascii: "\"") else { throw failure(.unexpectedByte) }
            let name = try string()
            guard names.insert(name) else { throw failure(.duplicateMember) }
            skipWhitespace()
            try expect(UInt8(ascii: ":"))
            members.append(.init(name: name, value: try value(depth: depth)))
            if try endsList(with: UInt8(ascii: "}")) { return JSONObject(members: members) }
        }
    }

    private mutating func array(depth: Int) throws(Failure) -> [JSONValue] {
        guard depth <= Self.depthMax else { throw failure(.tooDeep) }
        position += 1
        var elements: [JSONValue] = []
        skipWhitespace()
        if current == UInt8(ascii: "]") {
            position += 1
            return elements
        }
        while true {
            elements.append(try value(depth: depth))
            if try endsList(with: UInt8(ascii: "]")) { return elements }
        }
    }

    private mutating func expect(_ byte: UInt8) throws(Failure) {
        guard let current else { throw failure(.unexpectedEnd) }
        guard current == byte else { throw failure(.unexpectedByte) }
        position += 1
    }

    /// Takes the comma before the next element, or the end of the list; says which it was.
    private mutating func endsList(with end: UInt8) throws(Failure) -> Bool {
        skipWhitespace()
        guard let byte = current else { throw failure(.unexpectedEnd) }
        guard byte == end || byte == UInt8(ascii: ",") else { throw failure(.unexpectedByte) }
        position += 1
        return byte == end
    }

    // MARK: Numbers (RFC 8259, section 6)

    private mutating func number() throws(Failure) -> String {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        if current == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if current == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        guard position - start <= Self.numberBytesMax else { throw failure(.invalidNumber) }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() throws(Failure) {
        let start = position
        while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        guard position > start else { throw failure(current == nil ? .unexpectedEnd : .invalidNumber) }
    }

    // MARK: Strings (RFC 8259, section 7)

    private mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        while let byte = current, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
        if current == UInt8(ascii: "\"") {
            let text = try text(of: bytes[start..<position])
            position += 1
            return text
        }
        return try escapedString(from: start)
    }

    private mutating func escapedString(from start: Int) throws(Failure) -> String {
        var unescaped = Array(bytes[start..<position])
        while true {
            guard let byte = current else { throw failure(.unexpectedEnd) }
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: unescaped, as: UTF8.self) else { throw failure(.invalidUTF8) }
                position += 1
                return text
            case UInt8(ascii: "\\"): try escape(into: &unescaped)
            case 0: throw failure(.nul)
            case 1..<0x20: throw failure(.controlCharacter)
            default:
                unescaped.append(byte)
                position += 1
            }
        }
    }

    private func text(of slice: Slice<UnsafeRawBufferPointer>) throws(Failure) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else { throw failure(.invalidUTF8) }
        return text
    }

    private mutating func escape(into unescaped: inout [UInt8]) throws(Failure) {
        position += 1
        guard let byte = current else { throw failure(.unexpectedEnd) }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(byte)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"): unescaped.append(contentsOf: String(Character(try unicodeEscape())).utf8)
        default: throw failure(.invalidEscape)
        }
    }

    private mutating func unicodeEscape() throws(Failure) -> Unicode.Scalar {
        let first = try hexadecimalUnit()
        guard first != 0 else { throw failure(.nul) }
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard UTF16.isLeadSurrogate(first), current == UInt8(ascii: "\\") else { throw failure(.loneSurrogate) }
        position += 1
        guard current == UInt8(ascii: "u") else { throw failure(.loneSurrogate) }
        position += 1
        let second = try hexadecimalUnit()
        guard UTF16.isTrailSurrogate(second) else { throw failure(.loneSurrogate) }
        let high = UInt32(first) - 0xD800
        let low = UInt32(second) - 0xDC00
        guard let scalar = Unicode.Scalar(0x10000 + high << 10 + low) else { throw failure(.loneSurrogate) }
        return scalar
    }

    private mutating func hexadecimalUnit() throws(Failure) -> UInt16 {
        guard position + 4 <= bytes.count else { throw failure(.unexpectedEnd) }
        var unit: UInt16 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw failure(.invalidEscape)
            }
            unit = unit << 4 | UInt16(digit)
        }
        position += 4
        return unit
    }
}

/// The member names of one object seen so far. A few are compared one by one; many go into a set, so that a body of
/// a hundred thousand members costs no quadratic time.
private struct MemberNames {
    private var few: [String] = []
    private var many: Set<[UInt8]> = []

    /// Adds a name; false if it is there already, byte for byte.
    mutating func insert(_ name: String) -> Bool {
        if !many.isEmpty { return many.insert(Array(name.utf8)).inserted }
        guard !few.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else { return false }
        few.append(name)
        if few.count > 16 { many = Set(few.map { Array($0.utf8) }) }
        return true
    }
}
