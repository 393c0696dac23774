package import Foundation

extension Bool: PostgresCodable {
    package static var postgresType: PostgresType { .bool }

    /// Writes one byte, 0 or 1.
    package func encode(into writer: inout PostgresWriter) -> PostgresNullness {
        writer.write(UInt8(self ? 1 : 0))
        return .value
    }

    package init(from cell: PostgresCell) throws {
        self = try cell.required(.bool, as: Bool.self).integer(UInt8.self) != 0
    }
}

extension FixedWidthInteger where Self: SignedInteger {
    /// Reads any of PostgreSQL's integer types that the value fits into.
    fileprivate init(integerFrom cell: PostgresCell) throws {
        let bytes = try cell.required(.int8, .int4, .int2, as: Self.self)
        let wide =
            switch cell.type {
            case .int8: try bytes.integer(Int64.self)
            case .int4: Int64(try bytes.integer(Int32.self))
            default: Int64(try bytes.integer(Int16.self))
            }
        guard let exact = Self(exactly: wide) else {
            throw PostgresError.decoding("an integer does not fit \(Self.self)")
        }
        self = exact
    }
}

extension Int16: PostgresCodable {
    package static var postgresType: PostgresType { .int2 }

    package func encode(into writer: inout PostgresWriter) -> PostgresNullness {
        writer.write(self)
        return .value
    }

    package init(from cell: PostgresCell) throws { try self.init(integerFrom: cell) }
}

extension Int32: PostgresCodable {
    package static var postgresType: PostgresType { .int4 }

    package func encode(into writer: inout PostgresWriter) -> PostgresNullness {
        writer.write(self)
        return .value
    }

    package init(from cell: PostgresCell) throws { try self.init(integerFrom: cell) }
}

extension Int64: PostgresCodable {
    package static var postgresType: PostgresType { .int8 }

    package func encode(into writer: inout PostgresWriter) -> PostgresNullness {
        writer.write(self)
        return .value
    }

    package init(from cell: PostgresCell) throws { try self.init(integerFrom: cell) }
}

extension Int: PostgresCodable {
    package static var postgresType: PostgresType { .int8 }

    package func encode(into writer: inout PostgresWriter) -> PostgresNullness {
        writer.write(Int64(self))
        return .value
    }

    package init(from cell: PostgresCell) throws { try self.init(integerFrom: cell) }
}

extension Double: PostgresCodable {
    package static var postgresType: PostgresType { .float8 }

    package func encode(into writer: inout PostgresWriter) -> PostgresNullness {
        writer.write(bitPattern)
        return .value
    }

    package init(from cell: PostgresCell) throws {
        let bytes = try cell.required(.float8, .float4, as: Double.self)
        self =
            cell.type == .float8
            ? Double(bitPattern: try bytes.integer(UInt64.self))
            : Double(Float(bitPattern: try bytes.integer(UInt32.self)))
    }
}

extension UUID: PostgresCodable {
    package static var postgresType: PostgresType { .uuid }

    package func encode(into writer: inout PostgresWriter) -> PostgresNullness {
        withUnsafeBytes(of: uuid) { writer.write(bytes: $0) }
        return .value
    }

    package init(from cell: PostgresCell) throws {
        let bytes = try cell.required(.uuid, as: UUID.self)
        guard bytes.count == 16 else { throw PostgresError.decoding("a uuid of \(bytes.count) bytes") }
        self.init(uuid: bytes.loadUnaligned(as: uuid_t.self))
    }
}
