extension Array: PostgresEncodable where Element: PostgresEncodable {
    /// `bytea` for bytes, else the array type of the element.
    package static var postgresType: PostgresType {
        guard let array = Element.postgresType.array else {
            preconditionFailure("\(Element.self) has no PostgreSQL array type")
        }
        return Element.self == UInt8.self ? .bytea : array
    }

    /// Writes an array of one dimension; `[UInt8]` is `bytea`.
    package func encode(into writer: inout PostgresWriter) -> PostgresNullness {
        // The type, not the cast alone: an empty array of any type casts to `[UInt8]`.
        if Element.self == UInt8.self, let bytes = self as? [UInt8] {
            writer.write(bytes: bytes)
        } else {
            encodeElements(into: &writer)
        }
        return .value
    }

    /// The layout of `array_send` in arrayfuncs.c: dimensions, whether there are nulls, element type, size,
    /// lower bound.
    private func encodeElements(into writer: inout PostgresWriter) {
        writer.write(Int32(isEmpty ? 0 : 1))
        writer.write(Int32(1))
        writer.write(Element.postgresType.rawValue)
        guard !isEmpty else { return }
        writer.write(Int32(count))
        writer.write(Int32(1))
        for element in self { _ = writer.writeElement(element) }
    }
}

extension Array: PostgresDecodable where Element: PostgresDecodable {
    package init(from cell: PostgresCell) throws {
        guard let bytes = cell.bytes else { throw PostgresError.decoding("SQL NULL where an array was expected") }
        if Element.self == UInt8.self {
            guard cell.type == .bytea else {
                throw PostgresError.decoding("a column of type \(cell.type.rawValue) is not bytes")
            }
            self = [UInt8](bytes) as! [Element]
        } else {
            guard cell.type.isArray else {
                throw PostgresError.decoding("a column of type \(cell.type.rawValue) is no array")
            }
            self = try Self.elements(of: bytes)
        }
    }

    private static func elements(of bytes: UnsafeRawBufferPointer) throws -> [Element] {
        let dimensions = try bytes.integer(Int32.self)
        guard dimensions != 0 else { return [] }
        guard dimensions == 1 else { throw PostgresError.decoding("an array of \(dimensions) dimensions") }
        let type = PostgresType(rawValue: try bytes.integer(UInt32.self, at: 8))
        let count = Int(try bytes.integer(Int32.self, at: 12))
        var elements: [Element] = []
        var offset = 20
        for _ in 0..<count {
            let length = Int(try bytes.integer(Int32.self, at: offset))
            offset += 4
            guard length <= bytes.count - offset else { throw PostgresError.decoding("an array element is cut off") }
            let element = length < 0 ? nil : UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
            elements.append(try Element(from: PostgresCell(type: type, bytes: element)))
            offset += Swift.max(length, 0)
        }
        return elements
    }
}

/// Only as the element of `[UInt8]`, which is `bytea`; PostgreSQL has no one-byte integer.
extension UInt8: PostgresCodable {
    package static var postgresType: PostgresType { .bytea }

    package func encode(into writer: inout PostgresWriter) -> PostgresNullness {
        writer.refuse("is a single byte, which PostgreSQL has no type for")
        return .value
    }

    package init(from cell: PostgresCell) throws {
        throw PostgresError.decoding("PostgreSQL has no one-byte integer")
    }
}
