package import Foundation

/// AuthService or ChatService in a process of its own, ready to answer.
package struct SpawnedService: Sendable {
    /// The two programs.
    package enum Program: String, Sendable { case auth = "AuthService", chat = "ChatService" }

    package let process: SpawnedProcess
    /// Without a token.
    package let client: ServiceClient
    private let folder: TemporaryFolder

    /// Starts the program that lies beside the test runner on a free port and waits until `/readyz` says 200.
    package static func start(
        _ program: Program, name: String, settings: [String: String], from binaries: URL = ProjectFolder.binaries
    ) async throws -> SpawnedService {
        let folder = try TemporaryFolder()
        var environment = settings
        environment["PATH"] = ProcessInfo.processInfo.environment["PATH"]
        environment["PORT"] = settings["PORT"] ?? "0"
        environment["UPLOAD_DIR"] = settings["UPLOAD_DIR"] ?? folder.url.appending(path: "uploads").path
        let process = try await SpawnedProcess.start(
            binaries.appending(path: program.rawValue), name: name, environment: environment, directory: folder.url)
        let port = try await process.line("the port") { line in
            line.contains("listening") ? line.firstMatch(of: #/port="?(\d+)/#).map { String($0.1) } : nil
        }
        let client = ServiceClient(base: "http://127.0.0.1:\(port)")
        let service = SpawnedService(process: process, client: client, folder: folder)
        try await service.waitUntilReady()
        return service
    }

    /// Returns when `/readyz` says 200; throws when the process ends.
    package func waitUntilReady(atMost limit: Duration = .seconds(30)) async throws {
        _ = try await polling(for: "\(process.name) to be ready", atMost: limit) {
            guard process.isRunning else { throw ProcessEnded(name: process.name, log: process.log.text) }
            return try? await client.get("/readyz").status == 200 ? true : nil
        }
    }

    /// Resident memory in bytes (proc(5), `VmRSS`), of this process alone.
    package var residentBytes: Int { get throws { try bytes("VmRSS") } }

    /// The most resident memory it ever had, in bytes (proc(5), `VmHWM`).
    package var peakResidentBytes: Int { get throws { try bytes("VmHWM") } }

    private func bytes(_ key: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.id)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("\(key):") }
        return try line.flatMap { Int($0.filter(\.isNumber)) }.orThrow("\(key) of \(process.name)") * 1024
    }

    func removeFolder() { folder.remove() }
}
