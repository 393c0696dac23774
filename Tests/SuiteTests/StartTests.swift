import Foundation
import TestSupport
import Testing

/// The first start, and starts that must not be.
@Suite("Starts")
struct StartTests {
    @Test func aFirstStartOnAnEmptyDatabaseComplainsOfNothing() async throws {
        try await withSuite(settings: ["LOG_LEVEL": "debug"]) { suite in
            for service in try [suite.auth] + suite.chats {
                let lines = service.process.log.text.split(separator: "\n")
                let complaints = lines.filter { line in
                    ["does not exist", "not read", "not swept", "no job claimed", "warning", "error"].contains {
                        line.lowercased().contains($0)
                    }
                }
                #expect(complaints.isEmpty, "\(service.process.name)")
            }
        }
    }

    @Test func everyProblemIsNamedAtOnceAndNoSecret() async throws {
        let settings = [
            "DATABASE_URL": "postgresql://me:hunter2@db:x/parley", "JWT_SECRET": "short-hunter2", "PORT": "x",
        ]
        for program in ["AuthService", "ChatService"] {
            let process = try await SpawnedProcess.start(
                ProjectFolder.binaries.appending(path: program), name: program, environment: settings,
                directory: FileManager.default.temporaryDirectory)
            #expect(try await process.waitForExit(atMost: .seconds(30)) == 78)
            for await _ in process.log.lines {}
            for key in settings.keys { #expect(process.log.text.contains("  - \(key) "), "\(process.log.text)") }
            #expect(!process.log.text.contains("hunter2"))
        }
    }

    /// What is looked at outside of the settings is named together with the rest.
    @Test func whatTheSettingsNameMustBeThere() async throws {
        let settings = [
            "DATABASE_URL": "postgresql://nowhere.invalid/parley", "JWT_SECRET": "short", "HOST": "no such host",
            "OCR_LANGUAGES": "eng+xxx", "PROMPTS_DIR": "/nowhere", "UPLOAD_DIR": "/dev/null",
        ]
        let process = try await SpawnedProcess.start(
            ProjectFolder.binaries.appending(path: "ChatService"), name: "ChatService", environment: settings,
            directory: FileManager.default.temporaryDirectory)
        #expect(try await process.waitForExit(atMost: .seconds(30)) == 78)
        for await _ in process.log.lines {}
        let named = process.log.text.matches(of: #/  - ([A-Z_]+) /#).map { String($0.1) }
        #expect(named.sorted() == ["HOST", "JWT_SECRET", "OCR_LANGUAGES", "PROMPTS_DIR", "UPLOAD_DIR"])
        #expect(process.log.text.contains("no data for: xxx"))
    }

    @Test func anUploadDirectoryThatCannotBeUsedIsNamed() async throws {
        let settings = [
            "DATABASE_URL": "postgresql://nowhere.invalid/parley", "JWT_SECRET": "9f2c81d07be34a65b1e0c7d2a4f86530",
            "UPLOAD_DIR": "/proc/self/nowhere",
        ]
        let process = try await SpawnedProcess.start(
            ProjectFolder.binaries.appending(path: "ChatService"), name: "ChatService", environment: settings,
            directory: FileManager.default.temporaryDirectory)
        #expect(try await process.waitForExit(atMost: .seconds(30)) == 78)
        for await _ in process.log.lines {}
        #expect(process.log.text.contains(#/UPLOAD_DIR .*cannot be used/#), "\(process.log.text)")
    }
}
