/// What makes a prepared statement: its text and the types of its parameters.
struct PostgresStatementKey: Hashable {
    let text: String
    let types: [UInt32]

    init(_ sql: SQL) {
        text = sql.text
        types = sql.binds.slots.map(\.type.rawValue)
    }
}

/// The prepared statements of one connection, bounded; the one unused longest makes room.
struct PostgresStatements {
    private struct Entry {
        let name: String
        var lastUse: UInt64
        /// Whether the server has said that it is prepared.
        var isConfirmed = false
    }

    /// How a statement is to be sent.
    enum Lookup: Equatable {
        case prepared(name: String)
        /// Prepare it under `name`; if `evicted` is given, deallocate that statement first.
        case unprepared(name: String, evicted: String?)
        /// Use the unnamed statement this once: the named one is being prepared, and may yet be refused.
        case unsettled
    }

    private let limit: Int
    private var entries: [PostgresStatementKey: Entry] = [:]
    private var clock: UInt64 = 0

    init(limit: Int) {
        self.limit = max(limit, 1)
    }

    /// Finds the statement or makes room for it.
    mutating func use(_ key: PostgresStatementKey) -> Lookup {
        clock += 1
        if let index = entries.index(forKey: key) {
            entries.values[index].lastUse = clock
            guard entries.values[index].isConfirmed else { return .unsettled }
            return .prepared(name: entries.values[index].name)
        }
        var evicted: String?
        if entries.count >= limit {
            guard let oldest = oldestConfirmed() else { return .unsettled }
            evicted = forget(oldest)
        }
        let name = "parley_\(clock)"
        entries[key] = Entry(name: name, lastUse: clock)
        return .unprepared(name: name, evicted: evicted)
    }

    private func oldestConfirmed() -> PostgresStatementKey? {
        entries.lazy.filter { $0.value.isConfirmed }.min { $0.value.lastUse < $1.value.lastUse }?.key
    }

    /// The server has prepared the statement.
    mutating func confirm(_ key: PostgresStatementKey) {
        entries[key]?.isConfirmed = true
    }

    /// Forgets a statement that the server did not prepare or no longer has; the server's name, if it had one.
    @discardableResult mutating func forget(_ key: PostgresStatementKey) -> String? {
        entries.removeValue(forKey: key)?.name
    }
}
