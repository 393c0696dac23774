import Foundation
import TestSupport
import Testing

/// The calls that a newcomer copies, as they stand there.
extension DeployTests {
    @Test func theCallsOfTheREADMEWork() async throws {
        try await withDeployment { _, auth, chat, _ in
            let readme = try String(contentsOf: ProjectFolder.root.appending(path: "README.md"), encoding: .utf8)
            let lines = Self.lines(of: readme, from: "token=$(curl")
            #expect(lines.count == 5)
            // In the order of the lines; the ports are the defaults.
            let script = lines.joined(separator: "\n")
                .replacing("localhost:8080", with: auth.base).replacing("localhost:8000", with: chat.base)
            try await expectAnswers(to: script, title: "First", question: "What is a contract?", at: chat)
        }
    }

    @Test func theCallsThatItPrintsWork() async throws {
        try await withDeployment { run, auth, chat, _ in
            let lines = Self.lines(of: run.log.text, from: "  TOKEN=$(curl")
            #expect(lines.count == 8)
            let script = lines.map { $0.drop { $0 == " " } }.joined(separator: "\n")
            try await expectAnswers(
                to: script, title: "New conversation", question: "What should a lease contain?", at: chat)
        }
    }

    /// From the line with this beginning up to a blank one or the end of the block.
    private static func lines(of text: String, from beginning: String) -> [Substring] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return Array(lines.drop { !$0.hasPrefix(beginning) }.prefix { !$0.isEmpty && $0 != "```" })
    }

    /// Runs the calls beside a `scan.pdf`, and looks at what they answer and at what becomes of the file.
    private func expectAnswers(to script: String, title: String, question: String, at chat: ServiceClient) async throws
    {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try Data(Fixture("documents/scan_mixed_5pages.pdf").bytes).write(to: folder.url.appending(path: "scan.pdf"))
        let token = "\nprintf '\\n%s' \"${token:-$TOKEN}\""
        let process = try await SpawnedProcess.start(
            URL(filePath: "/bin/bash"),
            ["-ec", "set -o pipefail\n" + script.replacing("\ncurl", with: "\necho\ncurl") + token],
            name: "the calls", environment: ["PATH": "/usr/bin:/bin"], directory: folder.url)
        #expect(try await process.waitForExit(atMost: .seconds(60)) == 0)
        var said: [String] = []
        for await line in process.log.lines where !line.isEmpty { said.append(line) }
        try #require(said.count == 5, "\(said)")
        let answers = try said.prefix(4).map { try JSON(parsing: Data($0.utf8)) }
        #expect(answers[0]["title"].string == title && answers[0]["conversation_id"] == 1)
        #expect(answers[1]["status"] == "success")
        #expect(answers[2] == ["message_id": 3, "conversation_id": 1, "status": "processing"])
        #expect(answers[3]["messages"].array.first?["content"].string == question)
        let client = chat.with(token: said[4])
        let read = try await polling(for: "the file to be read", atMost: .seconds(300)) {
            let message = try await client.get("/messages/3").json
            return message["status"] == "processing" ? nil : message
        }
        #expect(read["status"] == "completed", "\(read)")
    }
}
