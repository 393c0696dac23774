import Foundation
import TestSupport
import Testing

/// The contract's 50 MiB of a request come through nginx, whose own default is 1 MiB.
@Suite("Large bodies through nginx")
struct LargeBodyTests {
    private static let mebibyte = 1 << 20

    @Test func fiveFilesOfAlmostFiftyMebibytesAreAccepted() async throws {
        try await withProxy { site, client in
            let bytes = Data(repeating: UInt8(ascii: "a"), count: Self.mebibyte * 99 / 10)
            var form = MultipartForm(fields: [("conversation_id", "\(site.conversation)")])
            for number in 1...5 { form.add(file: "\(number).txt", bytes: bytes) }
            let accepted = try await client.post("/chat/file", form)
            #expect(accepted.status == 202, "\(accepted)")
            let message = try accepted.json["message_id"].int.orThrow("message_id in \(accepted)")
            let files = try await client.get("/messages/\(message)").json["files"].array
            #expect(files.map { $0["size"].int } == Array(repeating: bytes.count, count: 5))

            // What is in them does not matter here.
            #expect(try await client.send(.DELETE, "/conversations/\(site.conversation)").status == 204)
            try await site.expectNothingLeft()
        }
    }

    /// More than any upload may have is refused before it is sent: by its length, with the contract's answer.
    @Test func whatIsLargerThanAnyUploadIsRefusedAtItsLength() async throws {
        try await withProxy { site, client in
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let (file, answer) = (folder.url.appending(path: "large.txt"), folder.url.appending(path: "answer"))
            try Data(repeating: UInt8(ascii: "a"), count: Self.mebibyte * 53).write(to: file)
            let curl = try await SpawnedProcess.start(
                URL(filePath: "/usr/bin/curl"),
                [
                    "-s", "-o", answer.path, "-w", "%{http_code} %{size_upload}\\n", "--expect100-timeout", "60",
                    "-H", "Authorization: Bearer \(site.user.token)", "-H", "Expect: 100-continue",
                    "-F", "conversation_id=\(site.conversation)", "-F", "file=@\(file.path);type=text/plain",
                    client.base + "/chat/file",
                ], name: "curl", environment: [:], directory: folder.url)
            #expect(try await curl.waitForExit(atMost: .seconds(120)) == 0)
            for await _ in curl.log.lines {}
            let told = curl.log.text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
            #expect(told.count == 2 && told[0] == 413 && told[1] < Self.mebibyte, "\(curl.log.text)")
            let problem = try JSON(parsing: Data(contentsOf: answer))
            #expect(problem["code"] == "payload_too_large" && problem["status"].int == 413)
            try await site.expectNothingLeft()
        }
    }

    /// Runs `body` with a client of ChatService behind nginx.
    private func withProxy(_ body: @Sendable (KillSite, ServiceClient) async throws -> Void) async throws {
        try await KillSite.with { site in
            let port = try site.victim.client.base.split(separator: ":").last.flatMap { Int($0) }.orThrow("port")
            try await NginxProxy.run(before: port) { proxy in
                let base = "http://127.0.0.1:\(proxy.port + 1_000)"
                try await body(site, ServiceClient(base: base, token: site.user.token))
            }
            #expect(!site.victim.process.log.text.contains("status=500"))
        }
    }
}
