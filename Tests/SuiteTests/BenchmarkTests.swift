import Foundation
import TestSupport
import Testing

@testable import Benchmarks

/// The benchmarks go on working, whatever becomes of what they measure.
@Suite("Benchmarks")
struct BenchmarkTests {
    /// Alone: what PostgreSQL logs is switched for all databases, and read as what one service sends.
    @Test(.tags(.alone)) func everyBenchmarkRunsOneShortRound() async throws {
        let process = try await SpawnedProcess.start(
            ProjectFolder.binaries.appending(path: "Benchmarks"), ["--quick"], name: "Benchmarks",
            environment: ProcessInfo.processInfo.environment, directory: ProjectFolder.root)
        let status = try await process.waitForExit(atMost: .seconds(600))
        for await _ in process.log.lines {}
        #expect(status == 0, "\(process.log.text.suffix(3000))")
        let rows = process.log.text.split(separator: "\n").filter { $0.hasPrefix("| ") }
        #expect(rows.count == 1 + 27, "\(rows.joined(separator: "\n"))")
    }

    @Test func whatWrkSaysIsRead() throws {
        let said = """
            Running 1s test @ http://127.0.0.1:1/
              Latency Distribution
                 50%  650.00us
                 99%    1.20s
              1000 requests in 1.00s, 1.00MB read
              Socket errors: connect 0, read 1, write 0, timeout 2
              Non-2xx or 3xx responses: 4
            Requests/sec:    998.51
            """
        let result = try LoadTools.parse(wrk: said)
        #expect(result.perSecond == 998.51)
        #expect(result.percentile99 == 1200)
        #expect(result.errors == 7)
        #expect(throws: SuiteFault.self) { try LoadTools.parse(wrk: "unable to connect") }
    }

    @Test func statementsAreTakenFromTheLogWithTheirValues() {
        let log = """
            2026-01-01 [1] parley-chat| LOG:  execute s1: select a
            \tfrom b where id = $1 and name = $2 or x = $12
            2026-01-01 [1] parley-chat| DETAIL:  parameters: $1 = '7', $2 = 'it''s, $1 = ''8''', $12 = NULL
            2026-01-01 [2] psql| LOG:  statement: select 1
            2026-01-01 [1] parley-chat| LOG:  statement: BEGIN
            """
        let statements = StatementCapture.parse(log)
        #expect(statements.count == 2)
        #expect(statements[0].script() == "select a\nfrom b where id = '7' and name = 'it''s, $1 = ''8''' or x = NULL")
        #expect(statements[0].script { number, _ in number == 1 ? ":id" : nil }.contains("id = :id and"))
        #expect(statements[1].text == "BEGIN")
    }

    @Test func aPercentileIsOneOfTheValues() {
        let hundred = Percentiles((1...100).map(Double.init).shuffled())
        #expect([0, 0.01, 0.5, 0.99, 1].map(hundred.at) == [1, 1, 50, 99, 100])
        #expect(Percentiles([7]).at(0.99) == 7)
        #expect(Percentiles([]).at(0.5) == 0)
    }

    @Test func aFigureOnTheWrongSideOfItsBoundSaysSo() {
        let good = Figure.ratio("a", 50, to: 100, unit: "/s", .atLeast(0.4))
        let bad = Figure.absolute("b", 61.24, unit: "MB", atMost: 60)
        let table = Report.table([good, bad], date: Date(timeIntervalSince1970: 0))
        #expect(table.contains("1970-01-01"))
        #expect(table.contains("| a | 50 /s : 100 /s | 0.5 | ≥ 0.4 | yes |"))
        #expect(table.contains("| b | 61.2 MB | 61.2 | ≤ 60 | NO |"))
    }
}
