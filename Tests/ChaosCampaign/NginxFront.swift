import Foundation
import NIOCore
import NIOPosix
import TestSupport

/// Debian's nginx in front of the services, with the settings of deploy/nginx.
struct NginxFront: Sendable {
    let authPort: Int
    let chatPort: Int
    let process: SpawnedProcess

    /// - Parameter folder: for its state.
    static func start(auth: Int, chats: [Int], folder: URL) async throws -> NginxFront {
        let state = folder.appending(path: "nginx")
        try FileManager.default.createDirectory(at: state, withIntermediateDirectories: true)
        let settings = ProjectFolder.root.appending(path: "deploy/nginx")
        let (authPort, chatPort) = (try await FreePort.find(), try await FreePort.find())
        var text = try String(contentsOf: settings.appending(path: "parley.conf.template"), encoding: .utf8)
        let words = [
            "USER": geteuid() == 0 ? "user root;" : "", "STATE": state.path, "CONF": settings.path,
            "ADDRESS": "127.0.0.1", "AUTH_PORT": "\(authPort)", "CHAT_PORT": "\(chatPort)",
            "WEB_PORT": "\(try await FreePort.find())", "WEB": ProjectFolder.root.appending(path: "deploy/web").path,
            "AUTH_SERVERS": NginxProxy.servers([auth]), "CHAT_SERVERS": NginxProxy.servers(chats),
        ]
        for (word, value) in words { text = text.replacing("@\(word)@", with: value) }
        if let word = text.firstMatch(of: #/@[A-Z_]+@/#) {
            throw SuiteFault(description: "nobody says what \(word.0) is in parley.conf.template")
        }
        let file = state.appending(path: "parley.conf")
        try text.write(to: file, atomically: true, encoding: .utf8)
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin"
        let process = try await SpawnedProcess.start(
            URL(filePath: "/usr/bin/env"), ["nginx", "-e", state.path + "/error.log", "-c", file.path], name: "nginx",
            environment: ["PATH": path], directory: state)
        return NginxFront(authPort: authPort, chatPort: chatPort, process: process)
    }
}

/// Ports for those that must keep theirs over restarts.
enum FreePort {
    /// Below the range that the kernel hands out for outgoing connections, so that none of those takes it in between.
    static func find() async throws -> Int {
        for _ in 0..<50 {
            let port = Int.random(in: 20_000..<32_000)
            let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            if let channel = try? await bootstrap.bind(host: "127.0.0.1", port: port).get() {
                try await channel.close()
                return port
            }
        }
        throw SuiteFault(description: "found no free port")
    }
}
