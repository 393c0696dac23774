import Foundation
import Testing

/// `swift format` of the toolchain, with this repository's settings.
enum Formatter {
    /// What it says about `paths`, and its exit code.
    static func lint(_ paths: [String]) throws -> (status: Int32, report: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["swift", "format", "lint", "--strict", "--recursive", "--parallel", "--configuration", ".swift-format"]
            + paths
        process.currentDirectoryURL = SourceTree.root
        let pipe = Pipe()
        process.standardError = pipe
        process.standardOutput = pipe
        try process.run()
        let report = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, report)
    }
}

@Suite("Format")
struct FormatTests {
    @Test func everySwiftFileIsFormatted() throws {
        let (status, report) = try Formatter.lint(["Package.swift", "Sources", "Tests"])
        #expect(status == 0, "\(report.prefix(4000))")
    }

    @Test func aBadlyFormattedFileIsFound() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).swift")
        try "struct A{let b:Int;let c : Int}\n".write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try Formatter.lint([file.path]).status != 0)
    }
}
