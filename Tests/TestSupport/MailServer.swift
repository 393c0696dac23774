import Foundation
import Shared

/// A real SMTP server on loopback (aiosmtpd), in a process of its own; see `Tests/Fixtures/smtp/server.py`.
package struct MailServer: Sendable {
    /// A mail as the server has taken it.
    package struct Mail: Sendable, Codable {
        package let sender: String
        package let receivers: [String]
        /// Header and body.
        package let text: String
        /// Whether it came over TLS, and from somebody who had signed in.
        package let tls: Bool
        package let login: Bool
        /// What the client called itself.
        package let greeting: String

        /// The token in the link of the mail.
        package var token: String {
            get throws { try text.firstMatch(of: #/\/#[a-z-]+=([\w-]{43})\r\n/#).map { String($0.1) }.orThrow("link") }
        }
    }

    /// `smtp://127.0.0.1:port`
    package var url: String { "smtp://127.0.0.1:\(port)" }
    package let port: Int
    /// The certificate of a server with `--tls` or `--implicit`.
    package var certificate: String { folder.url.appending(path: "certificate.pem").path }
    private let process: SpawnedProcess
    private let folder: TemporaryFolder

    /// Runs `body` with a server of its own.
    /// - Parameter arguments: how the server behaves.
    package static func run<R>(
        _ arguments: [String], body: (MailServer) async throws -> R
    ) async throws -> R {
        let python = try await ScriptRun.python()
        let folder = try TemporaryFolder()
        let script = ProjectFolder.root.appending(path: "Tests/Fixtures/smtp/server.py").path
        let process = try await SpawnedProcess.start(
            python, [script] + arguments + ["--folder", folder.url.path], name: "smtp",
            environment: ["PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"], directory: folder.url)
        let result: Result<R, any Error>
        do {
            let port = try await process.line("the port") { $0.firstMatch(of: #/"port": (\d+)/#).flatMap { Int($0.1) } }
            result = .success(try await body(MailServer(port: port, process: process, folder: folder)))
        } catch {
            result = .failure(error)
        }
        try await process.kill()
        folder.remove()
        return try result.get()
    }

    /// Waits until the server has taken `count` mails, and returns them in their order.
    package func mails(_ count: Int) async throws -> [Mail] {
        let log = process.log
        return try await waiting(for: "\(count) mails", atMost: .seconds(300)) {
            var mails: [Mail] = []
            for await line in log.lines {
                if let mail = try? JSONDecoder().decode(Mail.self, from: Data(line.utf8)) { mails.append(mail) }
                if mails.count == count { return mails }
            }
            throw ProcessEnded(name: "smtp", log: log.text)
        }
    }

    /// Waits until the server has refused `count` receivers.
    package func refusals(_ count: Int) async throws {
        let log = process.log
        try await waiting(for: "\(count) refusals", atMost: .seconds(300)) {
            var refusals = 0
            for await line in log.lines {
                refusals += line.contains("\"refused\"") ? 1 : 0
                if refusals == count { return }
            }
        }
    }
}
