import Foundation
import Shared
import TestSupport

/// The whole of a campaign: PostgreSQL, a proxy for each replica, the services, nginx, and the model.
struct ChaosSite: Sendable {
    static let secret = "a secret of the campaign, 40 bytes long!"
    static let leaseSeconds = 4
    static let graceSeconds = 6
    static let connections = 6

    let folder: URL
    let postgres: PrivatePostgres
    let database: PostgresDatabase
    let proxies: [DatabaseProxy]
    let clocks: [ReplicaClock]
    let spools: [Spool]
    let replicas: [Replica]
    let nginx: NginxFront
    let model: ChaosModel
    let promises: Promises

    /// Starts everything, runs `body`, and takes everything down.
    static func run<R: Sendable>(
        _ options: ChaosOptions, folder: URL, _ body: (ChaosSite) async throws -> R
    ) async throws -> R {
        let postgres = try await PrivatePostgres.make()
        let result: Result<R, any Error>
        do {
            result = .success(try await run(options, folder: folder, postgres, body))
        } catch { result = .failure(error) }
        try await postgres.remove()
        return try result.get()
    }

    private static func run<R: Sendable>(
        _ options: ChaosOptions, folder: URL, _ postgres: PrivatePostgres, _ body: (ChaosSite) async throws -> R
    ) async throws -> R {
        let model = ChaosModel()
        let target = try URLComponents(string: postgres.url)?.port.orThrow("port in the URL of PostgreSQL") ?? 0
        return try await ScriptedModelServer.run(isKeepingRequests: false, model.steps) { server in
            try await DatabaseProxy.run(to: target) { first in
                try await DatabaseProxy.run(to: target) { second in
                    try await DatabaseProxy.run(to: target) { third in
                        let site = try await ChaosSite(
                            options, folder, postgres, [first, second, third], model, server)
                        let result: Result<R, any Error>
                        do { result = .success(try await body(site)) } catch { result = .failure(error) }
                        await site.takeDown()
                        return try result.get()
                    }
                }
            }
        }
    }

    private init(
        _ options: ChaosOptions, _ folder: URL, _ postgres: PrivatePostgres, _ proxies: [DatabaseProxy],
        _ model: ChaosModel, _ server: ScriptedModelServer
    ) async throws {
        self.folder = folder
        self.postgres = postgres
        self.proxies = proxies
        self.model = model
        promises = try Promises(file: folder.appending(path: "promises.log"))
        var settings = PostgresSettings(url: postgres.url)
        settings.applicationName = "parley-chaos"
        settings.connections = 3
        database = PostgresDatabase(settings: settings, logger: .quiet)
        // Tokens must be older than any clock is set back, and live longer than any is set forward.
        let authClock = try ReplicaClock(folder: folder, name: "auth")
        try authClock.shift(bySeconds: -3 * 3600)
        clocks = try (0..<FaultPlan.replicas).map { try ReplicaClock(folder: folder, name: "\($0)") }
        var spools: [Spool] = [], replicas: [Replica] = []
        let authPort = try await FreePort.find()
        let auth = Replica(
            place: .init(
                number: -1, port: authPort, program: options.binaries.appending(path: "AuthService"),
                environment: Self.environment(url: postgres.url, port: authPort, authClock).merging(
                    ["ACCESS_TOKEN_SECONDS": "86400", "REGISTRATIONS_PER_HOUR": "0"]) { $1 },
                folder: folder, promises: promises, graceSeconds: Self.graceSeconds))
        try await auth.start()
        try await Self.waitUntilReady(authPort)
        for (number, proxy) in proxies.enumerated() {
            let spool = try await Spool(folder: folder, replica: number, mayMount: options.mayMount)
            let port = try await FreePort.find()
            let url = postgres.url.replacing(#/:\d+/parley/#, with: ":\(proxy.port)/parley")
            var environment = Self.environment(url: url, port: port, clocks[number])
            environment.merge(server.settings) { $1 }
            environment.merge(Self.chatSettings(spool)) { $1 }
            let replica = Replica(
                place: .init(
                    number: number, port: port, program: options.binaries.appending(path: "ChatService"),
                    environment: environment, folder: folder, promises: promises, graceSeconds: Self.graceSeconds))
            try await replica.start()
            try await Self.waitUntilReady(port)
            spools.append(spool)
            replicas.append(replica)
        }
        (self.spools, self.replicas) = (spools, replicas)
        nginx = try await NginxFront.start(auth: authPort, chats: replicas.map(\.place.port), folder: folder)
        try await Self.waitUntilReady(nginx.chatPort)
        self.auth = auth
    }

    private let auth: Replica

    private static func environment(url: String, port: Int, _ clock: ReplicaClock) -> [String: String] {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let settings = [
            "PATH": path, "DATABASE_URL": url, "JWT_SECRET": secret, "HOST": "127.0.0.1", "PORT": "\(port)",
            "LOG_FORMAT": "text", "LOG_LEVEL": "info", "DATABASE_CONNECTIONS": "\(connections)",
            "SHUTDOWN_GRACE_SECONDS": "\(graceSeconds)",
        ]
        return settings.merging(clock.environment) { $1 }
    }

    private static func chatSettings(_ spool: Spool) -> [String: String] {
        [
            "UPLOAD_DIR": spool.directory.path, "LEASE_SECONDS": "\(leaseSeconds)", "OCR_WORKERS": "1",
            "LLM_CONNECT_SECONDS": "2", "LLM_FIRST_TOKEN_SECONDS": "3", "LLM_IDLE_SECONDS": "3",
            "LLM_CONCURRENCY": "32", "HISTORY_TOKENS": "300",
        ]
    }

    static func waitUntilReady(_ port: Int, atMost limit: Duration = .seconds(60)) async throws {
        let client = ServiceClient(base: "http://127.0.0.1:\(port)")
        _ = try await polling(for: "port \(port) to be ready", atMost: limit) {
            try? await client.get("/readyz").status == 200 ? true : nil
        }
    }

    /// AuthService and nginx end with the campaign; the replicas were stopped by `Hygiene`, or are by this.
    private func takeDown() async {
        for replica in replicas { try? await replica.stop() }
        try? await auth.stop()
        _ = try? await nginx.process.terminate()
        await database.close()
        for spool in spools { await spool.remove() }
    }
}
