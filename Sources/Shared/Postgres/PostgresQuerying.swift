/// What can run a statement: the pool (`PostgresDatabase`) or one open transaction (`PostgresTransaction`).
///
/// Query functions are extensions of this protocol, so that the same function works alone and inside a transaction.
package protocol PostgresQuerying: Sendable {
    /// Runs one statement that changes nothing. On the pool it shares a pipelined connection, whose session is
    /// read-only, and is sent again if a connection breaks before the answer.
    func read(_ sql: SQL) async throws -> PostgresRows
    /// Runs one statement. On the pool it has a connection of its own and commits; it is never sent twice.
    @discardableResult func query(_ sql: SQL) async throws -> PostgresRows
}
