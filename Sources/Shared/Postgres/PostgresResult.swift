import CPostgres

/// Owns one `PGresult` and frees it.
///
/// Unchecked: a `PGresult` is not changed after libpq returned it, and libpq allows reading it and freeing it on any
/// thread (libpq documentation, "Behavior in Threaded Programs").
struct PostgresResult: ~Copyable, @unchecked Sendable {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit { PQclear(pointer) }

    var status: ExecStatusType { PQresultStatus(pointer) }
    var rowCount: Int { Int(PQntuples(pointer)) }
    var columnCount: Int { Int(PQnfields(pointer)) }
    /// The tag of the command that ran, such as `INSERT 0 1`.
    var commandTag: String { String(cString: PQcmdStatus(pointer)) }
    var affectedRows: Int { Int(String(cString: PQcmdTuples(pointer))) ?? 0 }

    func type(ofColumn column: Int) -> PostgresType {
        PostgresType(rawValue: PQftype(pointer, Int32(column)))
    }

    /// The value's bytes, nil for SQL NULL; valid while this result lives.
    func bytes(row: Int, column: Int) -> UnsafeRawBufferPointer? {
        Self.bytes(in: pointer, row: Int32(row), column: Int32(column))
    }

    static func bytes(in result: OpaquePointer, row: Int32, column: Int32) -> UnsafeRawBufferPointer? {
        let length = Int(PQgetlength(result, row, column))
        // NULL has the length 0 as well; the second call is for those few only.
        if length == 0, PQgetisnull(result, row, column) == 1 { return nil }
        return UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: length)
    }

    /// The server's error, without `DETAIL`, which can quote values.
    var error: PostgresError {
        let message = field("M") ?? String(cString: PQresultErrorMessage(pointer))
        var error = PostgresError(.server, PostgresError.withoutValues(message, sqlState: field("C")))
        error.sqlState = field("C")
        error.constraint = field("n")
        error.table = field("t")
        error.schema = field("s")
        error.routine = field("R")
        return error
    }

    /// A field of the server's error by its protocol code (`PG_DIAG_…` in postgres_ext.h).
    private func field(_ code: Unicode.Scalar) -> String? {
        PQresultErrorField(pointer, Int32(code.value)).map { String(cString: $0) }
    }
}
