import Shared

/// Writes the contract's Message objects from the rows of `MessageQueries`, straight from PostgreSQL's bytes: the hot
/// answer of the service, so nothing is decoded that is only passed on.
extension JSONWriter {
    /// Writes one Message.
    ///
    /// - Parameter row: the columns that `MessageQueries` selects.
    mutating func message(_ row: PostgresRow) {
        row.withColumns { columns in
            object { json in
                json.integer("id", columns[0])
                json.string("role", columns[2])
                json.string("content", columns[4])
                json.time("timestamp", columns[1])
                json.string("status", columns[3])
                json.integer("reply_to", columns[5])
                json.document("files", columns[6], missing: "[]")
                json.document("progress", columns[7])
                json.document("error", columns[8])
                json.document("usage", columns[9])
            }
        }
    }

    private mutating func string(_ name: StaticString, _ bytes: UnsafeRawBufferPointer?) {
        key(name)
        if let bytes { string(utf8: bytes) } else { null() }
    }

    private mutating func integer(_ name: StaticString, _ bytes: UnsafeRawBufferPointer?) {
        key(name)
        if let bytes { int(Int(bytes.bigEndianInt64)) } else { null() }
    }

    private mutating func time(_ name: StaticString, _ bytes: UnsafeRawBufferPointer?) {
        key(name)
        if let bytes {
            time(Timestamp(microseconds: bytes.bigEndianInt64 + microsecondsFrom1970To2000))
        } else {
            null()
        }
    }

    private mutating func document(
        _ name: StaticString, _ bytes: UnsafeRawBufferPointer?, missing: StaticString = "null"
    ) {
        key(name)
        if let bytes { document(utf8: bytes) } else { raw { $0.append(missing) } }
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
        withColumns { columns in
            guard let id = columns[0]?.bigEndianInt64, let time = columns[1]?.bigEndianInt64 else { return nil }
            return PageCursor(time: Timestamp(microseconds: time + microsecondsFrom1970To2000), id: Int(id))
        }
    }
}
