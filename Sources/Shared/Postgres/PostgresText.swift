extension String: PostgresCodable {
    package static var postgresType: PostgresType { .text }

    /// PostgreSQL has no NUL in text (documentation, chapter 8.3); such a value is refused before it is sent.
    package func encode(into writer: inout PostgresWriter) -> PostgresNullness {
        if utf8.contains(0) { writer.refuse("contains a NUL character, which PostgreSQL's text cannot hold") }
        writer.write(bytes: utf8)
        return .value
    }

    package init(from cell: PostgresCell) throws {
        switch cell.type {
        case .jsonb:
            // One byte of format version stands before the text (`jsonb_send` in jsonb.c).
            let bytes = try cell.required(.jsonb, as: String.self)
            self = String(decoding: bytes.dropFirst(), as: UTF8.self)
        case .text, .varchar, .bpchar, .name, .json, .char, .unknown:
            guard let bytes = cell.bytes else { throw PostgresError.decoding("SQL NULL where a String was expected") }
            self = String(decoding: bytes, as: UTF8.self)
        default:
            throw PostgresError.decoding("a column of type \(cell.type.rawValue) is not a String")
        }
    }
}
