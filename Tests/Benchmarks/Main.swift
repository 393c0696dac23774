import Foundation
import TestSupport

/// Compares Parley, in one run on one machine, with the programs that bound what it can do: `Tests/bench`.
///
/// - `--binaries DIR`: where AuthService and ChatService lie, if not beside this program.
/// - `--quick`: one short round of each, to see that everything still works; its figures mean nothing.
/// - `NAME…`: only the named benchmarks.
@main
struct Main {
    static func main() async {
        var arguments = Array(CommandLine.arguments.dropFirst())
        var plan = BenchmarkPlan()
        if let index = arguments.firstIndex(of: "--quick") {
            arguments.remove(at: index)
            plan = .quick
        }
        if let index = arguments.firstIndex(of: "--binaries") {
            plan.binaries = URL(filePath: arguments[index + 1])
            arguments.removeSubrange(index...(index + 1))
        }
        let all: [(name: String, run: @Sendable (BenchmarkPlan) async throws -> [Figure])] = [
            ("history", HistoryBenchmark.run), ("questions", QuestionBenchmark.run), ("logins", LoginBenchmark.run),
            ("profile", SessionBenchmark.profile), ("refresh", SessionBenchmark.refresh),
            ("flood", SessionBenchmark.flood),
            ("recognition", RecognitionBenchmark.run), ("interference", InterferenceBenchmark.run),
            ("start", FootprintBenchmark.start), ("waiting", FootprintBenchmark.waitingQuestions),
            ("uploads", FootprintBenchmark.uploads), ("claims", QueueBenchmark.claims),
            ("takeover", QueueBenchmark.takeover), ("queue", QueueBenchmark.throughput),
            ("busy", OverloadBenchmark.uploads), ("overload", OverloadBenchmark.questions),
            ("readers", ReadersBenchmark.run), ("deltas", DeltaBenchmark.run),
        ]
        let unknown = Set(arguments).subtracting(all.map(\.name))
        guard unknown.isEmpty else {
            print("unknown: \(unknown.sorted()); there are: \(all.map(\.name).joined(separator: " "))")
            exit(64)
        }
        var figures: [Figure] = []
        var isWhole = true
        for (name, run) in all where arguments.isEmpty || arguments.contains(name) {
            FileHandle.standardError.write(Data("running \(name)\n".utf8))
            do {
                figures += try await run(plan)
            } catch {
                print("\(name): \(error)")
                isWhole = false
            }
        }
        print(Report.table(figures, date: Date()))
        if !isWhole || !plan.isQuick && figures.contains(where: { !$0.isGood }) { exit(1) }
    }
}

/// How long and how much.
struct BenchmarkPlan: Sendable {
    var isQuick = false
    var binaries = ProjectFolder.binaries
    /// Of each load.
    var seconds = 10
    /// Before each load that is counted; 0: none.
    var warmUpSeconds = 2
    var connections = 32
    /// How often each page is recognised.
    var pageRounds = 6
    var waitingQuestions = 1000
    var uploads = 16
    var uploadBytes = 20 << 20
    var idleReaders = 2000

    static let quick = BenchmarkPlan(
        isQuick: true, seconds: 1, warmUpSeconds: 0, connections: 4, pageRounds: 1, waitingQuestions: 20, uploads: 2,
        uploadBytes: 1 << 20, idleReaders: 60)
}
