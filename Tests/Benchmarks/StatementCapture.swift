import Foundation
import Shared
import TestSupport

/// The statements that ChatService really sends, taken from PostgreSQL's own log, so that the comparison never grows
/// old.
enum StatementCapture {
    /// A statement with its values put in, as `pgbench` can run it.
    struct Statement: Sendable {
        let text: String
        let values: [Int: String]

        /// The text with every `$n` replaced: by `replace(n, value)` if it says so, else by the value that was sent.
        func script(_ replace: (Int, String) -> String? = { _, _ in nil }) -> String {
            text.replacing(#/\$(\d+)/#) { match in
                let number = Int(match.1) ?? 0
                let value = values[number] ?? "NULL"
                // A colon before a letter is a variable to pgbench, in quotes too; JSON does not mind the blank.
                return replace(number, value) ?? value.replacing(#/:([A-Za-z_])/#) { ": \($0.1)" }
            }
        }
    }

    /// All statements that contain one of `words` and that a service sent while `body` ran, in order.
    /// - Parameter service: the name that it gives its connections.
    static func during(
        _ site: BenchmarkSite, of service: String = "parley-chat", containing words: [String],
        _ body: () async throws -> Void
    ) async throws -> [Statement] {
        try await setLog("all", site)
        let start = try await logSize(site)
        try await body()
        let rows = try await site.database.query(
            "select pg_read_file(pg_current_logfile(), \(start), 100000000)")
        try await setLog("none", site)
        let text = try rows.first.orThrow("log").decode(String.self)
        return parse(text, of: service).filter { statement in words.contains { statement.text.contains($0) } }
    }

    /// Lines after the first of an entry begin with a tab. Entries: `… parley-chat| LOG:  execute NAME: TEXT`,
    /// followed by `… DETAIL:  parameters: $1 = '…', $2 = NULL`.
    static func parse(_ log: String, of service: String = "parley-chat") -> [Statement] {
        let entries = log.replacing("\n\t", with: "\u{1}").split(separator: "\n").filter { $0.contains(service + "|") }
        var statements: [Statement] = []
        for entry in entries {
            if let match = entry.firstMatch(of: #/LOG:\s+(?:execute [^:]+|statement): (.*)/#) {
                statements.append(Statement(text: String(match.1).replacing("\u{1}", with: "\n"), values: [:]))
            } else if let match = entry.firstMatch(of: #/DETAIL:\s+[Pp]arameters: (.*)/#),
                let last = statements.popLast()
            {
                statements.append(
                    Statement(text: last.text, values: values(String(match.1).replacing("\u{1}", with: "\n"))))
            }
        }
        return statements
    }

    private static func values(_ text: String) -> [Int: String] {
        let pairs = text.matches(of: #/\$(\d+) = (NULL|'(?:[^']|'')*')/#).map { (Int($0.1) ?? 0, String($0.2)) }
        return Dictionary(pairs) { $1 }
    }

    private static func logSize(_ site: BenchmarkSite) async throws -> Int {
        let rows = try await site.database.query("select (pg_stat_file(pg_current_logfile())).size")
        return try rows.first.orThrow("size").decode(Int.self)
    }

    /// For all sessions of the tests' server; they take it over with the next statement, so it is waited for.
    private static func setLog(_ what: String, _ site: BenchmarkSite) async throws {
        try await site.database.query("alter system set log_statement = '\(unsafeRaw: what)'")
        try await site.database.query("alter system set log_line_prefix = '%m [%p] %a| '")
        try await site.database.query("select pg_reload_conf()")
        _ = try await polling(for: "log_statement = \(what)", atMost: .seconds(10)) {
            let rows = try await site.database.query("select current_setting('log_statement')")
            return try rows.first?.decode(String.self) == what ? true : nil
        }
    }
}
