package import Foundation
import Synchronization

/// The whole product for one test: a database of its own, one AuthService and some ChatService replicas.
///
/// Use `withSuite`. Whatever still runs at the end is asked to stop and must do so in order, with exit code 0, and no
/// log may hold a secret.
package final class Suite: Sendable {
    package static let secret = "a secret of the suite tests, 40 bytes ok"

    package let databaseURL: String
    private let settings: [String: String]
    private let binaries: URL
    private let started = Mutex<[SpawnedService]>([])
    private let first = Mutex<(auth: SpawnedService?, chats: [SpawnedService])>((nil, []))

    init(databaseURL: String, settings: [String: String], binaries: URL) {
        self.databaseURL = databaseURL
        self.settings = settings
        self.binaries = binaries
    }

    /// Without a token.
    package var auth: SpawnedService { get throws { try first.withLock { $0.auth }.orThrow("AuthService") } }

    /// The ChatService replicas that were started with the suite.
    package var chats: [SpawnedService] { first.withLock { $0.chats } }

    /// Starts one more process on the same database.
    package func start(
        _ program: SpawnedService.Program, _ changes: [String: String] = [:]
    ) async throws -> SpawnedService {
        var all = [
            "DATABASE_URL": databaseURL, "JWT_SECRET": Self.secret, "REGISTRATIONS_PER_HOUR": "0", "LOG_FORMAT": "text",
            "DATABASE_CONNECTIONS": "6",
        ]
        all.merge(settings) { $1 }
        all.merge(changes) { $1 }
        let name = "\(program.rawValue)-\(started.withLock { $0.count })"
        let service = try await SpawnedService.start(program, name: name, settings: all, from: binaries)
        started.withLock { $0.append(service) }
        return service
    }

    func startAll(replicas: Int) async throws {
        let auth = try await start(.auth)
        first.withLock { $0.auth = auth }
        for _ in 0..<replicas {
            let chat = try await start(.chat)
            first.withLock { $0.chats.append(chat) }
        }
    }

    /// Stops what still runs, in order.
    /// - Throws: if a process did not end well or told a secret.
    func stopAll() async throws {
        var faults: [String] = []
        for service in started.withLock({ $0 }) {
            service.process.signal(SIGCONT)
            if service.process.isRunning {
                let status = try await service.process.terminate(atMost: .seconds(40))
                if status != 0 { faults.append("\(service.process.name) ended with \(status)") }
            }
            if service.process.log.text.contains(Self.secret) {
                faults.append("\(service.process.name) logs JWT_SECRET")
            }
            keepLog(of: service)
            service.removeFolder()
        }
        if !faults.isEmpty { throw SuiteFault(description: faults.joined(separator: "; ")) }
    }

    /// The end of every log: for the message of a test that failed.
    var logs: String {
        started.withLock { $0 }.map { "--- \($0.process.name)\n\($0.process.log.text.suffix(3000))" }.joined(
            separator: "\n")
    }

    /// For those who look into a failure: whole logs, in the folder that `PARLEY_TEST_LOGS` names.
    private func keepLog(of service: SpawnedService) {
        guard let folder = ProcessInfo.processInfo.environment["PARLEY_TEST_LOGS"] else { return }
        let file = URL(filePath: folder).appending(path: "\(service.process.name)-\(service.process.id).log")
        try? service.process.log.text.write(to: file, atomically: true, encoding: .utf8)
    }
}

/// A suite that did not behave, or a test inside it that threw, with the end of the logs.
package struct SuiteFault: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// Runs `body` with a suite of its own and takes all of it down afterwards.
/// - Parameters:
///   - databaseURL: nil: a database of its own on the tests' server.
///   - settings: for all processes, over those that every test has.
package func withSuite<R: Sendable>(
    replicas: Int = 1, databaseURL: String? = nil, settings: [String: String] = [:],
    binaries: URL = ProjectFolder.binaries, _ body: @Sendable (Suite) async throws -> R
) async throws -> R {
    let own = databaseURL == nil ? try await TestDatabase.make() : nil
    let suite = Suite(databaseURL: databaseURL ?? own?.url ?? "", settings: settings, binaries: binaries)
    let result: Result<R, any Error>
    do {
        try await suite.startAll(replicas: replicas)
        result = .success(try await body(suite))
    } catch {
        result = .failure(SuiteFault(description: "\(error)\n\(suite.logs)"))
    }
    let end: Result<Void, any Error>
    do { end = .success(try await suite.stopAll()) } catch { end = .failure(error) }
    try await own?.drop()
    let value = try result.get()
    try end.get()
    return value
}

extension ScriptedModelServer {
    /// The settings that make ChatService ask this server.
    package var settings: [String: String] {
        ["LLM_BASE_URL": baseURL, "LLM_MODEL": "scripted", "LLM_API_KEY": "key"]
    }
}

extension Optional {
    /// The value, or an error that says what is missing.
    package func orThrow(_ what: String) throws -> Wrapped {
        guard let self else { throw SuiteFault(description: "no \(what)") }
        return self
    }
}
