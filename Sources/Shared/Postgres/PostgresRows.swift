/// The rows of one statement. They stay in libpq's memory and are decoded when asked for.
package final class PostgresRows: RandomAccessCollection, Sendable {
    let result: PostgresResult

    init(_ result: consuming PostgresResult) {
        self.result = result
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { result.rowCount }
    package subscript(position: Int) -> PostgresRow {
        precondition(position >= 0 && position < result.rowCount, "row \(position) of \(result.rowCount)")
        return PostgresRow(rows: self, index: position)
    }

    /// Rows inserted, updated, deleted or selected.
    package var affectedRows: Int { result.affectedRows }
    /// The tag of the command that ran, such as `UPDATE 3`.
    package var commandTag: String { result.commandTag }
}

/// One row of a `PostgresRows`.
package struct PostgresRow: Sendable {
    fileprivate let rows: PostgresRows
    fileprivate let index: Int

    package var columnCount: Int { rows.result.columnCount }

    /// The columns in order: `let (id, title) = try row.decode(Int.self, String.self)`.
    /// - Throws: `PostgresError` of kind `.decoding` if the number of columns, a type or a value does not fit.
    package func decode<each Value: PostgresDecodable>(
        _ types: repeat (each Value).Type
    ) throws -> (repeat each Value) {
        var column = -1
        let columns = columnCount
        func next() throws -> PostgresCell {
            column += 1
            guard column < columns else { throw PostgresError.decoding("the row has only \(columns) columns") }
            return cell(column)
        }
        let values = try withExtendedLifetime(rows) { (repeat try Self.decode((each types), try next(), column)) }
        guard column == columns - 1 else {
            throw PostgresError.decoding("the row has \(columns) columns, not \(column + 1)")
        }
        return values
    }

    /// Lends the columns as they came, for who passes them on without decoding.
    package func withColumns<R>(_ body: (borrowing PostgresColumns) throws -> R) rethrows -> R {
        try withExtendedLifetime(rows) {
            try body(PostgresColumns(result: rows.result.pointer, row: Int32(index), count: columnCount))
        }
    }

    private func cell(_ column: Int) -> PostgresCell {
        PostgresCell(type: rows.result.type(ofColumn: column), bytes: rows.result.bytes(row: index, column: column))
    }

    private static func decode<Value: PostgresDecodable>(
        _: Value.Type, _ cell: PostgresCell, _ column: Int
    ) throws -> Value {
        do {
            return try Value(from: cell)
        } catch var error as PostgresError {
            error.message = "column \(column): " + error.message
            throw error
        }
    }
}

/// The columns of one row as they came, lent for the time of a closure.
package struct PostgresColumns: ~Copyable {
    private let result: OpaquePointer
    private let row: Int32
    private let count: Int

    fileprivate init(result: OpaquePointer, row: Int32, count: Int) {
        (self.result, self.row, self.count) = (result, row, count)
    }

    /// The bytes of a column in PostgreSQL's binary form (UTF-8 for text), nil for SQL NULL; not to be kept.
    package subscript(column: Int) -> UnsafeRawBufferPointer? {
        precondition(column >= 0 && column < count, "column \(column) of \(count)")
        return PostgresResult.bytes(in: result, row: row, column: Int32(column))
    }
}
