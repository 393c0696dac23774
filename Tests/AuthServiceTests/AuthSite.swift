import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Shared
import Synchronization
import TestSupport

@testable import AuthService

/// AuthService as the process runs it, on a database of its own, for one test.
struct AuthSite: Sendable {
    static let password = "correct horse battery"
    static let secret = "Rz3vQ9xLw7KfT2mB8nYc5HdJ6pGs4aEu"

    let client: TestClient
    /// The service's own connections: what a test reads or changes behind its back.
    let database: PostgresDatabase
    let log: CapturedLog

    /// - Parameters:
    ///   - settings: beside the least that the service must be told; registrations are not limited by default.
    ///   - setup: `.router` has no client address; a test of addresses needs a socket.
    ///   - hashCost: as cheap as libsodium allows, unless the test is about the cost.
    static func run<R: Sendable>(
        _ settings: [String: String] = [:], over setup: TestingSetup = .router,
        hashCost: PasswordHasher.Cost = PasswordHasherTests.cheap, _ test: @Sendable (AuthSite) async throws -> R
    ) async throws -> R {
        try await withTestDatabase { _, url in
            try await run(settings, on: url, over: setup, hashCost: hashCost, test)
        }
    }

    /// As `run`, on a database that is there already: for a second replica or a restart.
    static func run<R: Sendable>(
        _ settings: [String: String] = [:], on url: String, over setup: TestingSetup = .router,
        hashCost: PasswordHasher.Cost = PasswordHasherTests.cheap, _ test: @Sendable (AuthSite) async throws -> R
    ) async throws -> R {
        let defaults = [
            "DATABASE_URL": url, "JWT_SECRET": secret, "REGISTRATIONS_PER_HOUR": "0", "HASH_WORKERS": "2", "PORT": "0",
            "DATABASE_CONNECTIONS": "4", "LOG_LEVEL": "trace",
        ]
        var reader = SettingsReader(values: defaults.merging(settings) { $1 })
        let checked = AuthSettings(&reader)
        try reader.finish()
        let log = CapturedLog()
        let application = try await AuthApplication(
            checked, logger: log.logger, requestLog: log.requestLog, hashCost: hashCost)
        return try await application.server.test(setup) { client in
            try await test(AuthSite(client: client, database: application.database, log: log))
        }
    }

    /// Sends `body` as JSON.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: [String: String]? = nil, token: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Answer {
        let bytes = try body.map { try JSONEncoder().encode($0) }
        return try await send(method, path, raw: bytes, token: token, headers: headers)
    }

    /// Sends `raw` as a JSON body, whatever it is.
    func send(
        _ method: HTTPRequest.Method, _ path: String, raw: Data?, token: String? = nil, headers: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = headers
        if raw != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        if let token { headers[.authorization] = "Bearer \(token)" }
        let response = try await client.execute(
            uri: path, method: method, headers: headers, body: raw.map(ByteBuffer.init(bytes:)))
        return Answer(response)
    }

    /// A new account, signed in.
    func register(_ email: String = "ann@example.com", name: String = "Ann") async throws -> SessionAnswer {
        let body = ["email": email, "password": Self.password, "name": name]
        return try await send(.post, "/register", body).decoded(status: 201)
    }

    func login(
        _ email: String = "ann@example.com", password: String = password, from address: String? = nil
    ) async throws -> Answer {
        try await send(.post, "/login", ["email": email, "password": password], headers: Self.forwarded(address))
    }

    func refresh(_ refreshToken: String) async throws -> Answer {
        try await send(.post, "/refresh", ["refresh_token": refreshToken])
    }

    /// Tests over a socket come from a trusted proxy, which may speak for others.
    static func forwarded(_ address: String?) -> HTTPFields {
        address.map { [HTTPField.Name("X-Forwarded-For")!: $0] } ?? [:]
    }

    /// The events of the audit trail in the order in which they were written.
    func auditEvents() async throws -> [String] {
        try await database.read("select event from auth.audit order by id").map { try $0.decode(String.self) }
    }

    func count(_ sql: SQL) async throws -> Int { try await database.read(sql).only.decode(Int.self) }
}

/// What the service answered.
struct Answer: Sendable {
    /// An answer that the test did not expect.
    struct Unexpected: Error { let status: Int, body: String }

    let status: Int
    let headers: HTTPFields
    let body: Data

    init(_ response: TestResponse) {
        (status, headers) = (Int(response.status.code), response.headers)
        body = Data(buffer: response.body)
    }

    var text: String { String(decoding: body, as: UTF8.self) }
    /// The members of a JSON object.
    var members: [String: Any] { (try? JSONSerialization.jsonObject(with: body) as? [String: Any]) ?? [:] }
    /// The `code` of a problem.
    var code: String? { members["code"] as? String }
    /// The members of the body that a problem names.
    var badFields: [String] { (members["errors"] as? [[String: String]] ?? []).compactMap { $0["field"] } }
    /// The problem without what differs from request to request.
    var problem: [String: String] {
        members.filter { $0.key != "request_id" }.mapValues { "\($0)" }
    }

    func decoded<Value: Decodable>(_: Value.Type = Value.self, status wanted: Int = 200) throws -> Value {
        guard status == wanted else { throw Unexpected(status: status, body: text) }
        return try JSONDecoder().decode(Value.self, from: body)
    }
}

/// Every line that the service logs, whatever its level.
final class CapturedLog: Sendable {
    private let lines = Mutex("")

    var text: String { lines.withLock { $0 } }

    var logger: Logger {
        var logger = Logger(label: "test") { label in
            LineLogHandler(label: label, settings: LogSettings(level: .trace, format: .text), write: self.append)
        }
        logger.logLevel = .trace
        return logger
    }

    var requestLog: RequestLog {
        RequestLog(label: "test", settings: LogSettings(level: .trace, format: .json), write: append)
    }

    @Sendable private func append(_ line: [UInt8]) { lines.withLock { $0 += String(decoding: line, as: UTF8.self) } }
}

extension PostgresRows {
    /// The row of a statement that always has one.
    var only: PostgresRow { self[0] }
}
