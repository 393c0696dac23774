import Shared

/// Writes the contract's Message objects from the rows of `MessageQueries`, straight from PostgreSQL's bytes: the hot
/// answer of the service, so nothing is decoded that is only passed on.
extension JSONWriter {
    /// Writes one Message.
    ///
    /// - Parameter row: the columns that `MessageQueries` selects.
    mutating func message(_ row: PostgresRow) {
        row.withColumns { columns in raw { $0.appendMessage(columns) } }
    }
}

extension [UInt8] {
    /// The members of a Message with their names as they stand between the values: fifty of these make a page.
    fileprivate mutating func appendMessage(_ columns: borrowing PostgresColumns) {
        append(#"{"id":"#)
        appendInteger(columns[0])
        append(#","role":"#)
        appendText(columns[2])
        append(#","content":"#)
        appendText(columns[4])
        append(#","timestamp":"#)
        appendTime(columns[1])
        append(#","status":"#)
        appendText(columns[3])
        append(#","reply_to":"#)
        appendInteger(columns[5])
        append(#","files":"#)
        appendDocument(columns[6], missing: "[]")
        append(#","progress":"#)
        appendDocument(columns[7])
        append(#","error":"#)
        appendDocument(columns[8])
        append(#","usage":"#)
        appendDocument(columns[9])
        append("}")
    }

    private mutating func appendText(_ bytes: UnsafeRawBufferPointer?) {
        if let bytes { appendJSONString(bytes) } else { append("null") }
    }

    private mutating func appendInteger(_ bytes: UnsafeRawBufferPointer?) {
        if let bytes { appendDecimal(Int(bytes.bigEndianInt64)) } else { append("null") }
    }

    private mutating func appendTime(_ bytes: UnsafeRawBufferPointer?) {
        guard let bytes else { return append("null") }
        append(UInt8(ascii: "\""))
        append(Timestamp(microseconds: bytes.bigEndianInt64 + microsecondsFrom1970To2000))
        append(UInt8(ascii: "\""))
    }

    private mutating func appendDocument(_ bytes: UnsafeRawBufferPointer?, missing: StaticString = "null") {
        if let bytes { append(bytes: bytes) } else { append(missing) }
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
    /// A `bigint`, nil for NULL.
    func integer(column: Int) -> Int? {
        withColumns { columns in columns[column].map { Int($0.bigEndianInt64) } }
    }

    /// The size of a message row's content.
    var contentBytes: Int {
        withColumns { columns in columns[4]?.count ?? 0 }
    }

    /// The id and the time of a message row; nil for the row that stands for an empty conversation.
    var messagePosition: PageCursor? {
        withColumns { columns in
            guard let id = columns[0]?.bigEndianInt64, let time = columns[1]?.bigEndianInt64 else { return nil }
            return PageCursor(time: Timestamp(microseconds: time + microsecondsFrom1970To2000), id: Int(id))
        }
    }
}
