import CSodium
import Foundation
import TestSupport

/// Logins, which should cost what the hash of a password costs, and little more.
enum LoginBenchmark {
    /// The cost that AuthService uses.
    private static let operations: UInt64 = 2
    private static let memoryBytes = 19 << 20

    @Sendable static func run(_ plan: BenchmarkPlan) async throws -> [Figure] {
        let workers = max(1, ProcessInfo.processInfo.activeProcessorCount / 2)
        return try await BenchmarkSite.run(plan, settings: ["HASH_WORKERS": "\(workers)"]) { site in
            // Before and after, as the machine may be slower or faster by a tenth from one minute to the next.
            let rounds = plan.isQuick ? 2 : 40
            let before = try secondsOfOneHash(rounds: rounds)
            let script = """
                wrk.method = "POST"
                wrk.headers["Content-Type"] = "application/json"
                wrk.body = '{"email":"\(site.user.email)","password":"\(SignedInUser.password)"}'
                """
            let ours = try await LoadTools.wrk(
                site.suite.auth.client.base + "/login", script: script, connections: 4, plan: plan, folder: site.folder)
            guard ours.errors == 0 else { throw SuiteFault(description: "\(ours.errors) errors while logging in") }
            let hash = (before + (try secondsOfOneHash(rounds: rounds))) / 2
            return [
                .ratio(
                    "logins : hashes that \(workers) worker(s) can make", ours.perSecond, to: Double(workers) / hash,
                    unit: "/s", .atLeast(0.95))
            ]
        }
    }

    /// The mean time of one verification in this process, alone on the machine.
    private static func secondsOfOneHash(rounds: Int) throws -> Double {
        guard sodium_init() >= 0 else { throw SuiteFault(description: "sodium_init failed") }
        var text = [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES))
        let password = SignedInUser.password
        guard crypto_pwhash_str(&text, password, UInt64(password.utf8.count), operations, memoryBytes) == 0 else {
            throw SuiteFault(description: "crypto_pwhash_str failed")
        }
        let clock = ContinuousClock()
        let time = clock.measure {
            for _ in 0..<rounds { _ = crypto_pwhash_str_verify(text, password, UInt64(password.utf8.count)) }
        }
        return time / .seconds(1) / Double(rounds)
    }
}
