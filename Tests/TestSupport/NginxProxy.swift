import Foundation

/// nginx with the settings of `deploy/nginx` in front of one service, on a port of its own.
package struct NginxProxy: Sendable {
    package let port: Int

    /// Runs `body` with nginx in front of the service on `port`.
    package static func run<R>(before port: Int, body: (NginxProxy) async throws -> R) async throws -> R {
        let folder = try TemporaryFolder(sharedWithOthers: true)
        // Between two starts somebody else may take the port; so it is tried with a few.
        var last: (any Error)?
        for _ in 0..<5 {
            let own = Int.random(in: 21_000..<28_000)
            try write(port: own, service: port, folder: folder.url)
            let process = try await SpawnedProcess.start(
                URL(filePath: "/usr/sbin/nginx"),
                [
                    "-e", folder.url.appending(path: "error.log").path, "-c",
                    folder.url.appending(path: "parley.conf").path,
                ],
                name: "nginx", environment: ["PATH": "/usr/sbin:/usr/bin:/bin"], directory: folder.url)
            do {
                _ = try await polling(for: "nginx", atMost: .seconds(20)) {
                    guard process.isRunning else { throw ProcessEnded(name: "nginx", log: process.log.text) }
                    return try? await ServiceClient(base: "http://127.0.0.1:\(own)").get("/livez").status == 200
                        ? true : nil
                }
            } catch {
                last = error
                try await process.kill()
                continue
            }
            let result: Result<R, any Error>
            do { result = .success(try await body(NginxProxy(port: own))) } catch { result = .failure(error) }
            _ = try await process.terminate()
            folder.remove()
            return try result.get()
        }
        folder.remove()
        throw last ?? SuiteFault(description: "nginx did not start")
    }

    /// The lines of an upstream as `deploy/run` has them.
    package static func servers(_ ports: [Int]) -> String {
        let first = ports.map { "        server 127.0.0.1:\($0) max_fails=2 fail_timeout=2s;" }
        let again = ports.map { "        server 127.0.0.1:\($0) max_fails=0 backup;" }
        return (first + again).joined(separator: "\n")
    }

    /// As `deploy/run` fills the template in.
    private static func write(port: Int, service: Int, folder: URL) throws {
        let source = ProjectFolder.root.appending(path: "deploy/nginx")
        var text = try String(contentsOf: source.appending(path: "parley.conf.template"), encoding: .utf8)
        let words = [
            "USER": getuid() == 0 ? "user root;" : "", "STATE": folder.path, "CONF": folder.path,
            "ADDRESS": "127.0.0.1",
            "AUTH_PORT": "\(port)", "CHAT_PORT": "\(port + 1000)", "AUTH_SERVERS": servers([service]),
            "CHAT_SERVERS": servers([service]), "WEB_PORT": "\(port + 2000)",
            "WEB": ProjectFolder.root.appending(path: "deploy/web").path,
        ]
        for (word, value) in words { text = text.replacing("@\(word)@", with: value) }
        try text.write(to: folder.appending(path: "parley.conf"), atomically: true, encoding: .utf8)
        let names = try FileManager.default.contentsOfDirectory(atPath: source.path)
        for name in names where name.hasSuffix(".conf") {
            let copy = folder.appending(path: name)
            try? FileManager.default.removeItem(at: copy)
            try FileManager.default.copyItem(at: source.appending(path: name), to: copy)
        }
    }
}
