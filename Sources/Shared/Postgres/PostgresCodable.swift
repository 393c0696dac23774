/// A value that can be bound to a statement.
package protocol PostgresEncodable: Sendable {
    /// The type the value is sent as.
    static var postgresType: PostgresType { get }
    /// Appends the binary form; `.null` if the value is SQL NULL, with nothing appended.
    func encode(into writer: inout PostgresWriter) -> PostgresNullness
}

/// A value that can be read from a column.
package protocol PostgresDecodable {
    /// Reads the column's binary form; `cell.bytes` is nil for SQL NULL.
    /// - Throws: `PostgresError` of kind `.decoding` if the type or the value does not fit.
    init(from cell: PostgresCell) throws
}

/// A value that can go both ways.
package typealias PostgresCodable = PostgresEncodable & PostgresDecodable

/// One column of one row while it is being decoded; valid only inside the call it is passed to.
package struct PostgresCell {
    package let type: PostgresType
    /// The binary form, nil for SQL NULL.
    package let bytes: UnsafeRawBufferPointer?

    /// The bytes of a value that must be there and must have one of the types given.
    func required(_ types: PostgresType..., as wanted: Any.Type) throws -> UnsafeRawBufferPointer {
        guard types.contains(type) else {
            throw PostgresError.decoding("a column of type \(type.rawValue) is not a \(wanted)")
        }
        guard let bytes else { throw PostgresError.decoding("SQL NULL where a \(wanted) was expected") }
        return bytes
    }
}

extension UnsafeRawBufferPointer {
    /// The big-endian integer at `offset`.
    func integer<Number: FixedWidthInteger>(_: Number.Type, at offset: Int = 0) throws -> Number {
        guard offset >= 0, count - offset >= MemoryLayout<Number>.size else {
            throw PostgresError.decoding("a value of \(count) bytes is too short")
        }
        return Number(bigEndian: loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    package static var postgresType: PostgresType { Wrapped.postgresType }

    /// Writes the value, or nothing and says that it is NULL.
    package func encode(into writer: inout PostgresWriter) -> PostgresNullness {
        self?.encode(into: &writer) ?? .null
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package init(from cell: PostgresCell) throws {
        self = cell.bytes == nil ? nil : try Wrapped(from: cell)
    }
}
