/// What a campaign did and found.
struct Summary: Sendable {
    let options: ChaosOptions
    let tally: [FaultKind: (done: Int, missed: Int)]
    let promises: Int
    let accepted202: Int
    let answered200: Int
    let refusals: [String: Int]
    let longestWait: Wait
    let findings: [String]

    /// Findings shown in full; the log has the rest.
    private static let findingsShown = 40

    /// A table as Markdown, and the findings below it.
    var text: String {
        var rows: [(String, String)] = FaultKind.allCases.map { kind in
            let (done, missed) = tally[kind] ?? (0, 0)
            return (kind.rawValue, missed == 0 ? "\(done)" : "\(done) (and \(missed) while another fault held it)")
        }
        rows.append(("questions sent", "\(promises)"))
        rows.append(("202", "\(accepted202)"))
        rows.append(("200 with an answer", "\(answered200)"))
        rows += refusals.sorted { $0.key < $1.key }.map { ("refused: \($0.key)", "\($0.value)") }
        let seconds = (longestWait.seconds * 10).rounded() / 10
        rows.append(("longest time from a question to its answer", "\(seconds) s (\(longestWait.way.rawValue))"))
        rows.append(("findings", "\(findings.count)"))
        let table = ["| what | how often |", "|---|---|"] + rows.map { "| \($0.0) | \($0.1) |" }
        let shown = findings.prefix(Self.findingsShown).map { "FOUND: \($0)" }
        let rest = findings.count > shown.count ? ["and \(findings.count - shown.count) more"] : []
        let slowest = "The longest wait was that of \(longestWait.mark)."
        let again = findings.isEmpty ? [] : ["", "To replay its faults: Tests/chaos \(options.replay)"]
        return ([options.title, ""] + table + ["", slowest] + shown + rest + again).joined(separator: "\n")
    }
}
