import Foundation

/// Runs a script of this repository to its end.
package enum ScriptRun {
    /// What it printed; throws if its exit code is not 0.
    package static func output(of script: String, _ arguments: [String], atMost limit: Duration = .seconds(300))
        async throws
        -> String
    {
        let process = try await SpawnedProcess.start(
            ProjectFolder.root.appending(path: script), arguments, name: script,
            environment: ProcessInfo.processInfo.environment, directory: ProjectFolder.root)
        let status = try await process.waitForExit(atMost: limit)
        // The end of the process and the end of its output are seen by two threads.
        for await _ in process.log.lines {}
        guard status == 0 else { throw ProcessEnded(name: "\(script) (exit code \(status))", log: process.log.text) }
        return process.log.text
    }
}
