import CPostgres
import Foundation

/// Opening a session without blocking.
extension PostgresConnection {
    /// How far the opening has come, and what it waits for.
    enum Progress {
        case wantsRead, wantsWrite, connected
        case failed(String)
    }

    /// Starts to connect. Nil if libpq has no memory or the settings cannot be read.
    static func start(
        id: UInt64, slot: Int?, isReader: Bool, settings: PostgresSettings
    ) -> PostgresConnection? {
        let parameters = parameters(settings, isReader: isReader)
        var keywords = parameters.map { UnsafePointer<CChar>(strdup($0.0)) } + [nil]
        var values = parameters.map { UnsafePointer<CChar>(strdup($0.1)) } + [nil]
        defer { for pointer in keywords + values { free(UnsafeMutableRawPointer(mutating: pointer)) } }
        guard let pg = PQconnectStartParams(&keywords, &values, 1) else { return nil }
        PQsetNoticeProcessor(pg, { _, _ in }, nil)
        return PostgresConnection(id: id, slot: slot, pg: pg, statementsMax: settings.preparedStatementsMax)
    }

    /// The words before `dbname` may be overridden by the URL, those after it override the URL (libpq documentation,
    /// `PQconnectdbParams`). A dead peer is noticed within half a minute.
    private static func parameters(_ settings: PostgresSettings, isReader: Bool) -> [(String, String)] {
        var options = [
            "timezone=UTC", "statement_timeout=\(settings.statementTimeout.milliseconds)",
            "idle_in_transaction_session_timeout=\(settings.idleInTransactionTimeout.milliseconds)",
        ]
        if isReader { options.append("default_transaction_read_only=on") }
        let fixed = options.map { "-c \($0)" }.joined(separator: " ")
        return [
            ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "20000"), ("application_name", settings.applicationName),
            ("dbname", settings.url),
            ("client_encoding", "UTF8"),
            // What the URL itself carries comes first: ours are appended and win.
            (
                "options",
                [PostgresURL.option("options", of: settings.url), fixed].compactMap { $0 }.joined(separator: " ")
            ),
        ]
    }

    /// The next step of connecting; call when the descriptor is ready for what the last call wanted.
    func poll() -> Progress {
        switch PQconnectPoll(pg) {
        case PGRES_POLLING_READING: .wantsRead
        case PGRES_POLLING_WRITING: .wantsWrite
        case PGRES_POLLING_OK: open()
        default: .failed(lastMessage)
        }
    }

    private func open() -> Progress {
        guard PQsetnonblocking(pg, 1) == 0, slot == nil || PQenterPipelineMode(pg) == 1 else {
            return .failed(lastMessage)
        }
        isConnected = true
        deadline = .max
        return .connected
    }
}

extension Duration {
    /// Whole milliseconds, at least 1.
    var milliseconds: Int64 {
        max(1, components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
    }

    /// Whole nanoseconds.
    var nanoseconds: UInt64 {
        UInt64(max(0, components.seconds)) * 1_000_000_000 + UInt64(max(0, components.attoseconds)) / 1_000_000_000
    }
}
