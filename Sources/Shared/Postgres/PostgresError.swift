/// What went wrong between a caller and PostgreSQL. Never contains a bind value.
package struct PostgresError: Error, Sendable, Equatable {
    /// Where it went wrong.
    package enum Kind: Sendable, Equatable {
        /// The server refused the statement; `sqlState` says why.
        case server
        /// The server is away, or the connection broke.
        case connection
        /// Every connection was busy for as long as a caller may wait, or too many callers wait already.
        case poolExhausted
        /// The statement ran longer than `PostgresSettings.statementTimeout`.
        case timeout
        /// The task that asked was cancelled.
        case cancelled
        /// The database client is closed, or the transaction is over.
        case closed
        /// A value that cannot be sent.
        case encoding
        /// A column that does not fit the type asked for.
        case decoding
        /// A migration file and the ledger disagree.
        case migration
    }

    package var kind: Kind
    /// A sentence for the log. The server's own message may quote column values only for constraint violations in its
    /// detail, which is left out here.
    package var message: String
    /// The five characters of the error code (PostgreSQL documentation, appendix A).
    package var sqlState: String?
    /// The names the server gives with integrity violations.
    package var constraint: String?
    package var table: String?
    package var schema: String?
    /// The server's function that raised the error.
    var routine: String?
    /// Whether the statement may have been carried out although this error was thrown.
    package var outcomeUnknown = false

    package init(_ kind: Kind, _ message: String, outcomeUnknown: Bool = false) {
        self.kind = kind
        self.message = message
        self.outcomeUnknown = outcomeUnknown
    }

    /// Raises "cached plan must not change result type" (plancache.c) after a change of a table.
    static let changedPlanRoutine = "RevalidateCachedQuery"

    /// The server's message, without the values that data exceptions (SQLSTATE class 22) quote: `invalid input syntax
    /// for type uuid: "…"`. Other classes name objects of the schema only; what they say of values is in the detail.
    static func withoutValues(_ message: String, sqlState: String?) -> String {
        let line = message.split(separator: "\n").first.map(String.init) ?? ""
        guard sqlState?.hasPrefix("22") == true, let cut = line.firstIndex(where: { ":\"«„“".contains($0) }) else {
            return line
        }
        return line[..<cut] + " (value withheld)"
    }

    static func decoding(_ message: String) -> PostgresError {
        PostgresError(.decoding, message)
    }
}

extension PostgresError {
    /// The named constraint of an integrity violation (SQLSTATE class 23), nil for every other error.
    package var violatedConstraint: String? {
        sqlState?.hasPrefix("23") == true ? constraint : nil
    }

    /// Whether asking again later can help: the server is away, busy or shutting down.
    package var isUnavailable: Bool {
        switch kind {
        case .connection, .poolExhausted, .closed: true
        case .server: sqlState.map { $0.hasPrefix("08") || $0.hasPrefix("53") || $0.hasPrefix("57P") } ?? false
        default: false
        }
    }
}

extension PostgresError: CustomStringConvertible {
    package var description: String {
        let parts = [
            sqlState.map { "SQLSTATE \($0)" }, table.map { "table \($0)" }, constraint.map { "constraint \($0)" },
            outcomeUnknown ? "outcome unknown" : nil,
        ]
        let suffix = parts.compactMap { $0 }.joined(separator: ", ")
        return "PostgreSQL \(kind): \(message)" + (suffix.isEmpty ? "" : " (\(suffix))")
    }
}
