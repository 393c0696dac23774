import NIOCore
import Shared

/// Writes the contract's Message objects from the rows of `MessageQueries`, straight from PostgreSQL's bytes: the hot
/// answer of the service, so nothing is decoded that is only passed on.
extension JSONWriter {
    /// Writes one Message.
    ///
    /// - Parameter row: the columns that `MessageQueries` selects.
    mutating func message(_ row: PostgresRow) {
        object { json in
            json.key("id")
            json.integer(of: row, column: 0)
            json.string("role", of: row, column: 2)
            json.string("content", of: row, column: 4)
            json.key("timestamp")
            json.time(of: row, column: 1)
            json.string("status", of: row, column: 3)
            json.key("reply_to")
            json.integer(of: row, column: 5)
            json.key("files")
            json.document(of: row, column: 6, missing: "[]")
            json.key("progress")
            json.document(of: row, column: 7, missing: "null")
            json.key("error")
            json.document(of: row, column: 8, missing: "null")
            json.key("usage")
            json.document(of: row, column: 9, missing: "null")
        }
    }

    private mutating func string(_ name: StaticString, of row: PostgresRow, column: Int) {
        key(name)
        row.withBytes(column: column) { bytes in
            if let bytes { string(utf8: bytes) } else { null() }
        }
    }

    private mutating func integer(of row: PostgresRow, column: Int) {
        row.withBytes(column: column) { bytes in
            if let bytes { int(Int(bytes.bigEndianInt64)) } else { null() }
        }
    }

    private mutating func time(of row: PostgresRow, column: Int) {
        row.withBytes(column: column) { bytes in
            guard let bytes else { return null() }
            let time = Timestamp(microseconds: bytes.bigEndianInt64 + microsecondsFrom1970To2000)
            raw { buffer in
                buffer.writeInteger(UInt8(ascii: "\""))
                time.write(into: &buffer)
                buffer.writeInteger(UInt8(ascii: "\""))
            }
        }
    }

    private mutating func document(of row: PostgresRow, column: Int, missing: StaticString) {
        row.withBytes(column: column) { bytes in
            raw { buffer in
                if let bytes { buffer.writeBytes(bytes) } else { buffer.writeStaticString(missing) }
            }
        }
    }
}

/// PostgreSQL counts a timestamp from 2000-01-01 (documentation, "Date/Time Types").
private let microsecondsFrom1970To2000: Int64 = 946_684_800_000_000

extension UnsafeRawBufferPointer {
    /// The eight bytes as PostgreSQL's binary form writes `bigint` and `timestamptz`.
    fileprivate var bigEndianInt64: Int64 {
        count == 8 ? Int64(bigEndian: loadUnaligned(as: Int64.self)) : 0
    }
}

extension PostgresRow {
    /// The id and the time of a message row; nil for the row that stands for an empty conversation.
    var messagePosition: PageCursor? {
        let id = withBytes(column: 0) { $0.map(\.bigEndianInt64) }
        let time = withBytes(column: 1) { $0.map(\.bigEndianInt64) }
        guard let id, let time else { return nil }
        return PageCursor(time: Timestamp(microseconds: time + microsecondsFrom1970To2000), id: Int(id))
    }
}
