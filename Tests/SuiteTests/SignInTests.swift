import Foundation
import Shared
import Synchronization
import TestSupport
import Testing

/// What holds for sign-ins of a whole process: its work, its memory, its answers to others meanwhile.
@Suite("Sign-ins", .serialized)
struct SignInTests {
    /// Timing tells nothing, because every path does the same dear work: counted, not measured.
    @Test func everyAttemptCostsOneHashWhoeverItIsAboutAndWhateverComesOfIt() async throws {
        try await withSuite(replicas: 0) { suite in
            let auth = try suite.auth.client
            let user = try await suite.register()
            let database = PostgresDatabase(settings: PostgresSettings(url: suite.databaseURL), logger: .quiet)
            func attempt(_ email: String, _ password: String) async throws -> Reply {
                let before = try await hashes(auth)
                let reply = try await auth.post("/login", ["email": .string(email), "password": .string(password)])
                #expect(try await hashes(auth) == before + 1, "\(email.prefix(40)): \(reply)")
                return reply
            }
            #expect(try await attempt(user.email, SignedInUser.password).status == 200)
            #expect(try await attempt("nobody@example.org", "not this one").status == 401)
            #expect(try await attempt("no address", "not this one").status == 401)
            #expect(try await attempt(user.email, String(repeating: "x", count: 1_025)).status == 401)
            for email in [user.email, "somebody@example.org"] {
                var last = try await attempt(email, "not this one")
                for _ in 0..<8 where last.status != 429 { last = try await attempt(email, "not this one") }
                #expect(last.code == "too_many_attempts")
                // A pause that no busy machine outlasts.
                try await database.query("update auth.login_attempts set blocked_until = now() + interval '1 hour'")
                let right = try await attempt(email, SignedInUser.password)
                #expect(right.status == 429 && right.json["detail"] == last.json["detail"], "also the right one")
            }
            await database.close()
        }
    }

    /// How many of several tasks still run.
    private final class Countdown: Sendable {
        private let value: Atomic<Int>
        var count: Int { value.load(ordering: .relaxed) }

        init(from count: Int) { value = Atomic(count) }

        func step() { value.subtract(1, ordering: .relaxed) }
    }

    @Test(.tags(.alone)) func twoHundredSignInsAtOnceLeaveOtherAnswersFastAndMemoryBounded() async throws {
        let workers = 2
        try await withSuite(replicas: 0, settings: ["HASH_WORKERS": "\(workers)"]) { suite in
            let auth = try suite.auth
            let user = try await suite.register()
            // Another user's, whose session no sign-in of the others can push out.
            let mine = auth.client.with(token: try await suite.register("Bob").token)
            let login: JSON = ["email": .string(user.email), "password": .string(SignedInUser.password)]
            for _ in 0..<10 { _ = try await auth.client.post("/login", login) }
            let idle = try auth.residentBytes
            let left = Countdown(from: 200)
            var (reads, peak) = (0, 0)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        defer { left.step() }
                        return try await auth.client.post("/login", login).status
                    }
                }
                // One after the other, while the sign-ins wait for each other.
                while left.count > 20 {
                    #expect(try await mine.get("/api/profile").status == 200)
                    #expect(try await mine.get("/health").status == 200)
                    peak = max(peak, try auth.residentBytes)
                    reads += 1
                }
                for try await status in group { #expect(status == 200) }
            }
            #expect(reads >= 50, "\(reads) profiles were read during 180 sign-ins")
            let bound = workers * 19 << 20 + 48 << 20
            #expect(peak - idle < bound, "\(idle >> 20) MiB idle, \(peak >> 20) MiB at most")
        }
    }

    @Test func runningOutOfMemoryIsNoWrongPassword() async throws {
        try await withSuite(replicas: 0) { suite in
            let auth = try suite.auth
            let user = try await suite.register()
            let login: JSON = ["email": .string(user.email), "password": .string(SignedInUser.password)]
            #expect(try await auth.client.post("/login", login).status == 200)
            let status = try String(contentsOfFile: "/proc/\(auth.process.id)/status", encoding: .utf8)
            let size = try status.firstMatch(of: #/VmSize:\s+(\d+) kB/#).flatMap { Int($0.1) }.orThrow("VmSize")
            // Room for everything but a hash of 19 MiB.
            try await limitMemory(of: auth.process.id, to: "\(size * 1024 + 10 << 20)")
            let refused = try await auth.client.post("/login", login)
            #expect(refused.status == 503 && refused.code == "overloaded", "\(refused)")
            try await limitMemory(of: auth.process.id, to: "unlimited")
            #expect(try await auth.client.post("/login", login).status == 200)
            let database = PostgresDatabase(settings: PostgresSettings(url: suite.databaseURL), logger: .quiet)
            #expect(try await database.value("select count(*) from auth.login_attempts", Int.self) == 0)
            await database.close()
        }
    }

    /// The soft limit alone, which can be raised again (prlimit(1)).
    private func limitMemory(of process: Int32, to bytes: String) async throws {
        let tool = try await SpawnedProcess.start(
            URL(filePath: "/usr/bin/prlimit"), ["--pid", "\(process)", "--as=\(bytes):"], name: "prlimit",
            environment: [:], directory: FileManager.default.temporaryDirectory)
        let status = try await tool.waitForExit(atMost: .seconds(10))
        guard status == 0 else { throw ProcessEnded(name: "prlimit", log: tool.log.text) }
    }

    private func hashes(_ auth: ServiceClient) async throws -> Int {
        let text = try await auth.get("/metrics").text
        let count = text.firstMatch(of: #/parley_password_hash_seconds_count(?:\{[^}]*\})? (\d+)/#)
        return count.flatMap { Int($0.1) } ?? 0
    }
}
