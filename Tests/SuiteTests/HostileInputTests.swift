import Foundation
import Shared
import TestSupport
import Testing

/// Whatever is sent, both services say what the contract says, soon, and go on.
@Suite("Hostile input", .serialized)
struct HostileInputTests {
    /// What came back.
    private struct Outcome: Sendable {
        let status: Int
        let code: String?
        let time: Duration
    }

    @Test func everyRowIsAnsweredByTheContractDirectlyAndThroughNginx() async throws {
        #expect(HostileRequests.all.count >= 70)
        try await withSuite(replicas: 0) { suite in
            let site = try site(of: try await suite.register())
            let port = try port(of: suite.auth)
            try await NginxProxy.run(before: port) { proxy in
                try await check(HostileRequests.all, site, direct: port, proxy: proxy.port)
                let auth = try suite.auth
                #expect(auth.process.isRunning)
                let mine = auth.client.with(token: site.token)
                #expect(try await mine.get("/api/profile").status == 200)
            }
            let log = try suite.auth.process.log.text
            #expect(!log.contains("status=500") && log.contains("status=401"))
        }
    }

    /// What a row made wait is worked on to its end, and nothing of the other ones is left on the disk.
    @Test func everyRowOfChatServiceIsAnsweredByTheContractDirectlyAndThroughNginx() async throws {
        #expect(HostileRequests.chat.count >= 200)
        try await KillSite.with { kill in
            let chat = kill.victim
            var site = try site(of: kill.user)
            site.conversation = kill.conversation
            let body: JSON = ["conversation_id": .number(Double(site.conversation)), "message": "Hello"]
            site.message = try await kill.user.chat.post("/chat", body).json["user_message_id"].int.orThrow("message")
            let (known, port) = (site, try port(of: chat))
            try await NginxProxy.run(before: port) { proxy in
                try await check(HostileRequests.chat, known, direct: port, proxy: proxy.port + 1_000)
            }
            #expect(chat.process.isRunning)
            let log = chat.process.log.text
            #expect(!log.contains("status=500") && log.contains("status=401"))
            _ = try await polling(for: "the end of all work", atMost: .seconds(120)) {
                try await kill.database.value("select count(*) from chat.jobs", Int.self) == 0 ? true : nil
            }
            let names: [String] = try await kill.database.read("select distinct name from chat.files order by name").map
            {
                try $0.decode(String.self)
            }
            #expect(names.allSatisfy { !$0.contains("/") && !$0.contains("\\") && $0 != ".." }, "\(names)")
            #expect(["a.txt", "file", "null", "passwd"].allSatisfy(names.contains), "\(names)")
            try await kill.expectNothingLeft()
        }
    }

    /// A user's tokens, and two that nobody may take for one.
    private func site(of user: SignedInUser) throws -> HostileRequest.Site {
        let now = Int(Date().timeIntervalSince1970)
        func token(_ secret: String, at time: Int) -> String {
            AccessTokenSigner(key: AccessTokenKey(secret: Secret(secret)), lifetimeSeconds: 900)
                .sign(userID: user.id, email: user.email, sessionID: UUID(), now: time)
        }
        return HostileRequest.Site(
            email: user.email, token: user.token, refreshToken: user.refreshToken,
            expiredToken: token(Suite.secret, at: now - 3_600),
            forgedToken: token("another secret than that of the suite's tests", at: now))
    }

    private func check(
        _ rows: [HostileRequest], _ site: HostileRequest.Site, direct: Int, proxy: Int
    ) async throws {
        for row in rows {
            try await check(row, site, port: direct, (row.status, row.code), "direct")
            let wanted = row.throughNginx ?? (row.status, row.code)
            try await check(row, site, port: proxy, wanted, "through nginx")
        }
    }

    /// The first of three tries that is fast enough counts: other programs share the machine.
    private func check(
        _ row: HostileRequest, _ site: HostileRequest.Site, port: Int, _ wanted: (status: Int, code: String?),
        _ way: String
    ) async throws {
        var outcome = try await send(row.bytes(site), port: port)
        for _ in 0..<2 where outcome.time >= .seconds(1) { outcome = try await send(row.bytes(site), port: port) }
        #expect(outcome.status == wanted.status, "\(row.name), \(way): \(outcome)")
        #expect(outcome.code == wanted.code, "\(row.name), \(way): \(outcome)")
        #expect(outcome.time < .seconds(1), "\(row.name), \(way): \(outcome)")
    }

    private func send(_ bytes: [UInt8], port: Int) async throws -> Outcome {
        let clock = ContinuousClock()
        let start = clock.now
        let answer = try await waiting(for: "an answer", atMost: .seconds(20)) {
            try await RawConnection.open(port: port) { connection in
                // The server may refuse, and close, before it has read all.
                try? await connection.send(bytes)
                return try await connection.receiveAnswer()
            }
        }
        return Outcome(status: answer.status, code: answer.code, time: clock.now - start)
    }

    @Test func slowHeadersAndBodiesEndInTime() async throws {
        try await withSuite(replicas: 0) { suite in
            let port = try port(of: suite.auth)
            try await NginxProxy.run(before: port) { proxy in
                let header = "POST /login HTTP/1.1\r\nHost: a\r\nContent-"
                let body =
                    "POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (port, isDirect) in [(port, true), (proxy.port, false)] {
                        for (text, seconds) in [(header, 25), (body, 45)] {
                            group.addTask { try await expectEnd(of: text, port: port, isDirect, within: seconds) }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await suite.auth.client.get("/health").status == 200)
            }
        }
    }

    /// nginx closes such a connection without a word; the service says 408 first.
    private func expectEnd(of text: String, port: Int, _ isDirect: Bool, within seconds: Int) async throws {
        let answer = try await waiting(for: "the end of a slow request", atMost: .seconds(seconds)) {
            try await RawConnection.open(port: port) { connection in
                try await connection.send(text)
                return try await connection.receiveAll()
            }
        }
        if isDirect || !answer.isEmpty {
            #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("request_timeout"), "\(answer)")
        }
    }

    @Test func ofFiftyRegistrationsOfOneAddressAtOnceOneIsMade() async throws {
        try await withSuite(replicas: 0) { suite in
            let other = try await suite.start(.auth)
            let clients = [try suite.auth.client, other.client]
            let body: JSON = ["email": "one@example.org", "password": "a long password", "name": "One"]
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<50 {
                    group.addTask { try await clients[number % 2].post("/register", body).status }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [201: 1, 409: 49])
        }
    }

    private func port(of service: SpawnedService) throws -> Int {
        try service.client.base.split(separator: ":").last.flatMap { Int($0) }.orThrow("port")
    }
}

extension RawConnection {
    /// One answer with its body, as its Content-Length says or up to the end of the connection.
    fileprivate mutating func receiveAnswer() async throws -> (status: Int, code: String?) {
        let head = try await receive(through: "\r\n\r\n")
        let status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        guard !isEnded, head.lowercased().contains("problem+json") else { return (status, nil) }
        let body = try await receive(through: "}")
        return (status, body.firstMatch(of: #/"code":"([a-z_]+)"/#).map { String($0.1) })
    }
}
