/// How to reach PostgreSQL and how much of it to use.
package struct PostgresSettings: Sendable {
    /// A connection URI or `key=value` string, anything libpq takes. Holds the password: never log it.
    package var url: String
    /// Connections for statements and transactions together, at least 2. One more is opened while something listens.
    ///
    /// From 4 on, two are pipelined and shared by all `read`s; below that one is. The rest are leased, one caller each.
    package var connections = 8
    /// What the server shows in `pg_stat_activity`.
    package var applicationName = "parley"
    /// Callers that may wait for a connection at the same time; the next one is refused at once.
    package var waitersMax = 1024
    /// How long a caller waits for a connection.
    package var acquireTimeout: Duration = .seconds(5)
    /// The server ends a statement that runs longer. The client gives up `clientSlack` later.
    package var statementTimeout: Duration = .seconds(30)
    /// The server ends a session that leaves a transaction open and unused for longer.
    package var idleInTransactionTimeout: Duration = .seconds(60)
    /// How long one attempt to connect may take.
    package var connectTimeout: Duration = .seconds(5)
    /// Prepared statements kept by each connection; the one unused longest makes room.
    package var preparedStatementsMax = 256
    /// Reads under way at the same time on one pipelined connection; more wait.
    package var pipelineDepth = 64

    package init(url: String) {
        self.url = url
    }

    /// What the client waits beyond `statementTimeout`, so that the server's own error normally comes first.
    static let clientSlack: Duration = .seconds(2)

    /// Connections shared by `read`s.
    var readers: Int { connections >= 4 ? 2 : 1 }
    /// Connections leased to one caller at a time.
    package var leased: Int { max(1, connections - readers) }
}
