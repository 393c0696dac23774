import Foundation
import TestSupport
import Testing

/// What `deploy/install-packages` does on a machine where it may not install anything.
@Suite("Installation of packages")
struct InstallationTests {
    @Test func whoMayNotInstallIsToldWhatIsMissing() async throws {
        let said = try await run(groups: ["run"], missing: "tesseract-ocr-rus")
        #expect(said.status == 1)
        #expect(said.text.hasSuffix("as root: apt-get install tesseract-ocr-rus"), "\(said.text)")
    }

    @Test func whoMissesNothingNeedsNoPermission() async throws {
        let said = try await run(groups: ["build", "run"], missing: "none")
        #expect(said.status == 0 && said.text.isEmpty, "\(said.text)")
    }

    /// As a user without rights, on a machine that has all packages but one.
    private func run(groups: [String], missing: String) async throws -> (status: Int32, text: String) {
        let folder = try TemporaryFolder(sharedWithOthers: true)
        defer { folder.remove() }
        let script = folder.url.appending(path: "install-packages")
        try FileManager.default.copyItem(
            at: ProjectFolder.root.appending(path: "deploy/install-packages"), to: script)
        let answers = [
            "dpkg-query": "for last; do :; done; [ \"$last\" = \(missing) ] || printf 'ii '", "sudo": "exit 1",
            "apt-get": "echo 'nothing may be installed'; exit 99",
        ]
        for (program, answer) in answers {
            let file = folder.url.appending(path: program)
            try Data("#!/bin/sh\n\(answer)\n".utf8).write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
        }
        // nobody and nogroup of Debian.
        let identity = ["--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        let process = try await SpawnedProcess.start(
            URL(filePath: "/usr/bin/env"),
            (getuid() == 0 ? ["setpriv"] + identity : []) + ["bash", script.path] + groups, name: "install-packages",
            environment: ["PATH": "\(folder.url.path):/usr/bin:/bin"], directory: folder.url)
        let status = try await process.waitForExit(atMost: .seconds(60))
        for await _ in process.log.lines {}
        return (status, process.log.text)
    }
}
