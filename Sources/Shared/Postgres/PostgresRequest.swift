/// One statement on its way to a connection and back.
final class PostgresRequest: Sendable {
    /// Which kind of connection the statement is for.
    enum Purpose: Sendable {
        /// Shares a pipelined connection; may be sent again.
        case read
        /// Leases a connection for itself.
        case query
        /// Runs in a transaction that has been leased a connection.
        case leased(PostgresLease)
        /// As `leased`, and gives the connection back afterwards.
        case end(PostgresLease, commits: Bool)
        /// As `leased`, but several statements in one text, without binds, by the simple protocol.
        case script(PostgresLease)
    }

    let sql: SQL
    let purpose: Purpose
    let durability: PostgresDurability
    /// Overrides the client's deadline for this statement.
    let limit: Duration?
    let reply = PostgresReply<PostgresRows>()

    init(_ sql: SQL, purpose: Purpose, durability: PostgresDurability = .durable, limit: Duration? = nil) {
        self.sql = sql
        self.purpose = purpose
        self.durability = durability
        self.limit = limit
    }

    var lease: PostgresLease? {
        switch purpose {
        case .leased(let lease), .end(let lease, _), .script(let lease): lease
        case .read, .query: nil
        }
    }

    var isRead: Bool { if case .read = purpose { true } else { false } }

    /// Whether the statement may have taken effect although its connection broke: a transaction that has not been told
    /// to commit is rolled back by the server, and a read has no effect.
    var outcomeUnknownWhenLost: Bool {
        switch purpose {
        case .query, .end(_, commits: true): true
        case .read, .leased, .end, .script: false
        }
    }
}

/// One caller's claim to a connection of its own, from `withTransaction`.
final class PostgresLease: Sendable {
    let durability: PostgresDurability
    let reply = PostgresReply<Void>()

    init(durability: PostgresDurability) {
        self.durability = durability
    }
}

/// When a commit is answered.
package enum PostgresDurability: Sendable {
    /// After it is on disk.
    case durable
    /// At once (`synchronous_commit = off`): a crash of the server may lose the last moments, never tear them. For
    /// progress and other marks that will be written again.
    case relaxed
}
