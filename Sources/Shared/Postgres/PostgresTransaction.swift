/// An open transaction, valid inside the closure of `PostgresDatabase.withTransaction`.
///
/// After a statement has failed the server refuses every further one (SQLSTATE 25P02), as the whole will be
/// rolled back.
package struct PostgresTransaction: PostgresQuerying {
    let lease: PostgresLease
    let inbox: PostgresInbox

    /// As `query`: in a transaction both use its connection.
    package func read(_ sql: SQL) async throws -> PostgresRows {
        try await query(sql)
    }

    /// Runs a statement in the transaction; its error rolls the transaction back when it is thrown out of the body.
    @discardableResult package func query(_ sql: SQL) async throws -> PostgresRows {
        try await PostgresRequest(sql, purpose: .leased(lease)).perform(through: inbox)
    }

    /// Runs several statements, parted by semicolons, without binds. `limit` replaces the client's deadline; the
    /// server's is `statement_timeout`, which the caller sets.
    func script(_ text: String, limit: Duration) async throws {
        let request = PostgresRequest(SQL(stringLiteral: text), purpose: .script(lease), limit: limit)
        _ = try await request.perform(through: inbox)
    }

    /// As `query(_:)` with another deadline of the client.
    func query(_ sql: SQL, limit: Duration) async throws {
        _ = try await PostgresRequest(sql, purpose: .leased(lease), limit: limit).perform(through: inbox)
    }

    /// The server answers a commit after a failed statement with the tag `ROLLBACK` and no error.
    func commit() async throws {
        let request = PostgresRequest("commit", purpose: .end(lease, commits: true))
        let answer = try await request.reply.waitUncancelled { inbox.post(.run(request)) }
        guard answer.commandTag != "ROLLBACK" else {
            var error = PostgresError(.server, "the transaction was rolled back, as a statement in it had failed")
            error.sqlState = "25P02"
            throw error
        }
    }

    /// Undoes everything; if the server cannot be asked, it does so by itself when the connection closes.
    func rollback() async {
        let request = PostgresRequest("rollback", purpose: .end(lease, commits: false))
        _ = try? await request.reply.waitUncancelled { inbox.post(.run(request)) }
    }
}
