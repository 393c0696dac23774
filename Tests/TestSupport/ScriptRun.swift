package import Foundation

/// Runs a script of this repository to its end.
package enum ScriptRun {
    /// What it printed; throws if its exit code is not 0.
    package static func output(of script: String, _ arguments: [String], atMost limit: Duration = .seconds(300))
        async throws
        -> String
    {
        try await output(
            of: ProjectFolder.root.appending(path: script), arguments, name: script,
            environment: ProcessInfo.processInfo.environment, atMost: limit)
    }

    /// The interpreter of the Python environment of the tests, which is made if it is missing.
    package static func python() async throws -> URL {
        let path = try await output(of: "Tests/python-environment", [])
        return URL(filePath: path.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Runs a Python script in the environment of the tests and returns its output. Throws if its exit code is not 0.
    /// - Parameter variables: what it finds in its environment.
    package static func output(
        ofPython script: String, _ arguments: [String], variables: [String: String] = [:],
        atMost limit: Duration = .seconds(300)
    ) async throws -> String {
        let environment = ["PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"].merging(variables) { $1 }
        return try await output(
            of: try await python(), [ProjectFolder.root.appending(path: script).path] + arguments, name: script,
            environment: environment, atMost: limit)
    }

    private static func output(
        of program: URL, _ arguments: [String], name: String, environment: [String: String], atMost limit: Duration
    ) async throws -> String {
        let process = try await SpawnedProcess.start(
            program, arguments, name: name, environment: environment, directory: ProjectFolder.root)
        let status = try await process.waitForExit(atMost: limit)
        // The end of the process and the end of its output are seen by two threads.
        for await _ in process.log.lines {}
        guard status == 0 else { throw ProcessEnded(name: "\(name) (exit code \(status))", log: process.log.text) }
        return process.log.text
    }
}
