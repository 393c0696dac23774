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
