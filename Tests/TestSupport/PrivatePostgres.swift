import Foundation
import Logging
import Shared

/// A PostgreSQL of a test's own, for tests that stop and start the server; see `deploy/private-postgres`.
package struct PrivatePostgres: Sendable {
    /// A superuser's URL of its database; the same after every restart.
    package let url: String
    private let folder: TemporaryFolder
    private var directory: String { folder.url.appending(path: "postgres").path }

    /// Makes a cluster and starts it.
    package static func make() async throws -> PrivatePostgres {
        let folder = try TemporaryFolder(sharedWithOthers: true)
        let directory = folder.url.appending(path: "postgres").path
        try await run(["start", directory])
        let url = try await run(["admin-url", directory])
        return PrivatePostgres(url: url.trimmingCharacters(in: .whitespacesAndNewlines), folder: folder)
    }

    /// Starts it again after `stop`, on the same port.
    package func start() async throws { try await Self.run(["start", directory, "\(port)"]) }

    /// - Parameter immediately: as a power cut would: without a checkpoint, breaking all connections off.
    package func stop(immediately: Bool = false) async throws {
        try await Self.run(["stop"] + (immediately ? ["immediate"] : []) + [directory])
    }

    /// Stops and starts it on the same port.
    package func restart(immediately: Bool = false) async throws {
        try await Self.run(["restart"] + (immediately ? ["immediate"] : []) + [directory])
    }

    /// Sends a signal to the server and all its processes: SIGSTOP makes a database that hangs, SIGCONT wakes it.
    package func signal(_ number: Int32) throws {
        let file = try String(contentsOfFile: "\(directory)/data/postmaster.pid", encoding: .utf8)
        guard let server = file.split(separator: "\n").first.flatMap({ Int32($0) }) else { return }
        for process in [server] + ProcessTree.children(of: server) { kill(process, number) }
    }

    /// Runs a statement behind the services' back.
    package func execute(_ statement: String) async throws {
        let database = PostgresDatabase(settings: PostgresSettings(url: url), logger: .quiet)
        let result: Result<Void, any Error>
        do {
            try await database.query("\(unsafeRaw: statement)")
            result = .success(())
        } catch { result = .failure(error) }
        await database.close()
        try result.get()
    }

    /// Stops it and removes its data.
    package func remove() async throws {
        try await stop(immediately: true)
        folder.remove()
    }

    private var port: Int { URLComponents(string: url)?.port ?? 0 }

    @discardableResult
    private static func run(_ arguments: [String]) async throws -> String {
        try await ScriptRun.output(of: "deploy/private-postgres", arguments)
    }
}
