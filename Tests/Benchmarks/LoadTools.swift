import Foundation
import TestSupport

/// What `wrk` says about a load.
struct LoadResult: Sendable {
    var perSecond: Double
    /// Milliseconds.
    var percentile99: Double
    /// Answers that were not 2xx or 3xx, and connections that failed.
    var errors: Int
}

/// The programs that make the load; each is from Debian.
enum LoadTools {
    /// `wrk` on one address, after a warm-up that is not counted.
    /// - Parameter script: Lua that makes the requests; its `init` is told whether they are counted. Nil: GET.
    static func wrk(
        _ url: String, token: String? = nil, script: String? = nil, connections: Int, plan: BenchmarkPlan,
        folder: TemporaryFolder
    ) async throws -> LoadResult {
        var options = ["-t\(min(2, connections))", "-c\(connections)", "--latency", "--timeout", "60s"]
        if let token { options += ["-H", "Authorization: Bearer \(token)"] }
        if let script {
            let file = folder.url.appending(path: "\(UUID().uuidString).lua")
            try script.write(to: file, atomically: true, encoding: .utf8)
            options += ["-s", file.path]
        }
        if plan.warmUpSeconds > 0 {
            _ = try await run("wrk", options + ["-d\(plan.warmUpSeconds)s", url, "--", "warm-up"])
        }
        return try parse(wrk: try await run("wrk", options + ["-d\(plan.seconds)s", url, "--", "counted"]))
    }

    static func parse(wrk text: String) throws -> LoadResult {
        guard let rate = text.firstMatch(of: #/Requests/sec:\s+([\d.]+)/#), let perSecond = Double(rate.1),
            let percentile = text.firstMatch(of: #/99%\s+([\d.]+)(us|ms|s|m)\b/#), let amount = Double(percentile.1)
        else { throw SuiteFault(description: "cannot read what wrk said:\n\(text)") }
        let units: [String: Double] = ["us": 0.001, "ms": 1, "s": 1000, "m": 60_000]
        let refused = text.firstMatch(of: #/Non-2xx or 3xx responses: (\d+)/#).flatMap { Int($0.1) } ?? 0
        let broken = text.firstMatch(of: #/Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/#)
        let failed = broken.map { match in
            [match.1, match.2, match.3, match.4].reduce(0) { $0 + (Int($1) ?? 0) }
        }
        return LoadResult(
            perSecond: perSecond, percentile99: amount * (units[String(percentile.2)] ?? 1),
            errors: refused + (failed ?? 0))
    }

    /// Transactions a second of a `pgbench` script, prepared statements, as many clients as the other side has.
    static func pgbench(_ script: String, url: String, plan: BenchmarkPlan, folder: TemporaryFolder) async throws
        -> Double
    {
        let file = folder.url.appending(path: "\(UUID().uuidString).sql")
        try script.write(to: file, atomically: true, encoding: .utf8)
        let options = ["-n", "-M", "prepared", "-c", "\(plan.connections)", "-j", "2", "-f", file.path]
        if plan.warmUpSeconds > 0 { _ = try await run("pgbench", options + ["-T", "\(plan.warmUpSeconds)", url]) }
        let text = try await run("pgbench", options + ["-T", "\(plan.seconds)", url])
        guard let tps = text.firstMatch(of: #/tps = ([\d.]+)/#).flatMap({ Double($0.1) }) else {
            throw SuiteFault(description: "cannot read what pgbench said:\n\(text)")
        }
        if let failed = text.firstMatch(of: #/number of failed transactions: (\d+)/#), failed.1 != "0" {
            throw SuiteFault(description: "pgbench failed:\n\(text)")
        }
        return tps
    }

    /// Runs a program of PATH to its end and returns what it printed.
    static func run(_ program: String, _ arguments: [String], environment: [String: String] = [:]) async throws
        -> String
    {
        let all = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let process = try await SpawnedProcess.start(
            URL(filePath: "/usr/bin/env"), [program] + arguments, name: program, environment: all,
            directory: FileManager.default.temporaryDirectory)
        let status = try await process.waitForExit(atMost: .seconds(600))
        for await _ in process.log.lines {}
        guard status == 0 else { throw ProcessEnded(name: "\(program) (exit code \(status))", log: process.log.text) }
        return process.log.text
    }
}
