import Foundation
import TestSupport
import Testing

/// `deploy/run`, the command of a newcomer: PostgreSQL, both services, two replicas and nginx, up and down again.
@Suite("deploy/run", .tags(.long))
struct DeployTests {
    @Test func oneCommandBringsTheWholeSuiteUpAndTakesItDown() async throws {
        try await withDeployment { run, auth, chat, state in
            let register: JSON = ["email": "ann@example.org", "password": "a long password", "name": "Ann"]
            let user = try await auth.post("/register", register, headers: ["X-Forwarded-For": "203.0.113.9"])
            #expect(user.status == 201, "\(user)")
            let client = chat.with(token: user.json["token"].string)
            let sessions = try await auth.with(token: client.token).get("/api/sessions")
            #expect(sessions.status == 200, "\(sessions)")
            #expect(sessions.json["sessions"][0]["ip"] == "127.0.0.1", "a client cannot choose its address")
            let id = try await client.post("/conversations").json["conversation_id"].int.orThrow("conversation_id")
            let body: JSON = ["conversation_id": .number(Double(id)), "message": "Hello"]
            #expect(try await client.post("/chat", body).status == 200)

            var form = MultipartForm(fields: [("conversation_id", "\(id)")])
            form.add(file: "letter.png", bytes: try Fixture("documents/letter_en_clean.png").bytes)
            let accepted = try await client.post("/chat/file", form)
            #expect(accepted.status == 202, "\(accepted)")
            let message = try accepted.json["message_id"].int.orThrow("message_id")
            let final = try await polling(for: "the file to be read", atMost: .seconds(300)) {
                let message = try await client.get("/messages/\(message)").json
                return message["status"] == "processing" ? nil : message
            }
            #expect(final["status"] == "completed", "\(final)")
        }
    }

    @Test func nginxRefusesInTheFormOfTheContract() async throws {
        try await withDeployment { _, auth, chat, _ in
            let large = try await auth.send(
                .POST, "/register", headers: ["Content-Type": "application/json"],
                body: .init(repeating: UInt8(ascii: " "), count: 300 << 10))
            #expect(large.status == 413, "\(large)")
            #expect(large.headers.first(name: "Content-Type") == "application/problem+json")
            #expect(large.code == "payload_too_large")
            #expect(large.json["request_id"].string == large.headers.first(name: "X-Request-Id"))

            let header = try await chat.get(
                "/conversations", headers: ["X-Long": String(repeating: "x", count: 40_000)])
            #expect(header.status == 431, "\(header)")
            #expect(header.code == "header_too_large")

            let named = try await chat.get("/conversations", headers: ["X-Request-Id": "mine-1"])
            #expect(named.status == 401)
            #expect(named.headers.first(name: "X-Request-Id") == "mine-1")
            #expect(named.json["request_id"] == "mine-1")
        }
    }

    @Test func aReplicaThatDiesIsReplacedAndNobodyNotices() async throws {
        try await withDeployment { run, auth, chat, state in
            let replicas = try processes(named: "ChatService", of: state)
            #expect(replicas.count == 2)
            Foundation.kill(try replicas.first.orThrow("replica"), SIGKILL)
            for _ in 0..<20 { #expect(try await chat.get("/readyz").status == 200) }
            _ = try await run.line("the restart", atMost: .seconds(10)) { $0.contains("is started again") ? true : nil }
            _ = try await polling(for: "two replicas", atMost: .seconds(20)) {
                try processes(named: "ChatService", of: state).count == 2 ? true : nil
            }
        }
    }

    @Test func nginxPassesAStreamOnPieceByPiece() async throws {
        let steps: [ScriptedModelServer.Step] = [.streamHead, .delta("One "), .wait, .delta("two."), .finish]
        try await ScriptedModelServer.run(replies: [steps]) { model in
            try await withDeployment(settings: model.settings) { _, auth, chat, _ in
                let (client, body) = try await asker(auth, chat)
                let (status, events) = try await client.events(.POST, "/chat", json: body)
                #expect(status == 200)
                var text = ""
                for try await event in events where event.name == "delta" {
                    text += event.json["text"].string ?? ""
                    // The second piece is not sent before the first one has come through.
                    if text == "One " { model.release() }
                }
                #expect(text == "One two.")
            }
        }
    }

    @Test func nginxDoesNotSendAQuestionASecondTime() async throws {
        let held = [.wait] + ScriptedModelServer.answer("lost")
        let replies = [held, ScriptedModelServer.answer("All is well.")]
        try await ScriptedModelServer.run(replies: replies) { model in
            let settings = model.settings.merging(["LEASE_SECONDS": "3"]) { $1 }
            try await withDeployment(settings: settings) { _, auth, chat, state in
                let (client, body) = try await asker(auth, chat)
                let asked = Task { try await client.post("/chat", body) }
                await model.waitForRequests(1)
                let answer = try await self.answer(asked, killing: processes(named: "ChatService", of: state))
                #expect(answer.status == 503)
                #expect(answer.code == "service_unavailable")
                #expect(answer.headers.first(name: "Retry-After") == "2")

                let id = try body["conversation_id"].int.orThrow("conversation_id")
                let messages = try await polling(for: "the answer of the other replica", atMost: .seconds(60)) {
                    let page = try await client.get("/conversations/\(id)/messages").json["messages"].array
                    return page.count > 1 ? page : nil
                }
                #expect(messages.map { $0["role"] } == ["user", "assistant"])
                #expect(messages.last?["content"] == "All is well.")
                model.release()
            }
        }
    }

    /// The answer to a question that one of the replicas holds: kills one after the other until it comes.
    private func answer(_ asked: Task<Reply, any Error>, killing replicas: [Int32]) async throws -> Reply {
        for replica in replicas {
            Foundation.kill(replica, SIGKILL)
            if let answer = try? await waiting(for: "an answer", atMost: .seconds(2), { try await value(of: asked) }) {
                return answer
            }
        }
        return try await asked.value
    }

    /// The value of a task, for a wait that may be given up: `Task.value` itself cannot be.
    private func value(of asked: Task<Reply, any Error>) async throws -> Reply {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: Reply.self)
        Task {
            do { continuation.yield(try await asked.value) } catch { continuation.finish(throwing: error) }
        }
        for try await reply in stream { return reply }
        throw CancellationError()
    }

    /// A new user and a question in a new conversation.
    func asker(_ auth: ServiceClient, _ chat: ServiceClient) async throws -> (ServiceClient, JSON) {
        let register: JSON = ["email": "ann@example.org", "password": "a long password", "name": "Ann"]
        let client = chat.with(token: try await auth.post("/register", register).json["token"].string)
        let id = try await client.post("/conversations").json["conversation_id"].int.orThrow("conversation_id")
        return (client, ["conversation_id": .number(Double(id)), "message": "Think"])
    }

    @Test func takenPortsAreNamedBeforeAnythingStarts() async throws {
        try await withDeployment { _, auth, _, _ in
            let port = try auth.base.split(separator: ":").last.orThrow("port")
            let folder = try TemporaryFolder(sharedWithOthers: true)
            defer { folder.remove() }
            let second = try await start(state: folder.url, authPort: String(port), chatPort: "1")
            #expect(try await second.waitForExit(atMost: .seconds(20)) == 1)
            _ = try await second.line("the port") { $0.contains("port \(port) is taken") ? true : nil }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [])
        }
    }

    private func start(
        state: URL, authPort: String, chatPort: String, settings: [String: String] = [:]
    ) async throws -> SpawnedProcess {
        var environment = ProcessInfo.processInfo.environment.merging(settings) { $1 }
        environment["PARLEY_STATE"] = state.path
        environment["AUTH_PORT"] = authPort
        environment["CHAT_PORT"] = chatPort
        environment["WEB_PORT"] = "\(Int.random(in: 11_000..<14_000))"
        environment["REGISTRATIONS_PER_HOUR"] = "0"
        return try await SpawnedProcess.start(
            ProjectFolder.root.appending(path: "deploy/run"), ["--binaries", ProjectFolder.binaries.path],
            name: "deploy/run", environment: environment, directory: ProjectFolder.root)
    }

    /// Runs `body` while `deploy/run` runs, stops it, and looks for what it may have left.
    func withDeployment(
        settings: [String: String] = [:],
        _ body: (_ run: SpawnedProcess, _ auth: ServiceClient, _ chat: ServiceClient, _ state: URL) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder(sharedWithOthers: true)
        defer { folder.remove() }
        let (authPort, chatPort) = (Int.random(in: 14_000..<17_000), Int.random(in: 17_000..<20_000))
        let run = try await start(
            state: folder.url, authPort: "\(authPort)", chatPort: "\(chatPort)", settings: settings)
        let result: Result<Void, any Error>
        do {
            _ = try await run.line("ready", atMost: .seconds(90)) {
                $0.contains("Ctrl-C stops everything") ? true : nil
            }
            let auth = ServiceClient(base: "http://127.0.0.1:\(authPort)")
            let chat = ServiceClient(base: "http://127.0.0.1:\(chatPort)")
            result = .success(try await body(run, auth, chat, folder.url))
        } catch {
            result = .failure(SuiteFault(description: "\(error)\n\(run.log.text.suffix(4000))"))
        }
        #expect(try await run.terminate(atMost: .seconds(60)) == 0)
        #expect(try processes(named: "", of: folder.url) == [], "something was left running")
        try result.get()
    }

    /// The processes whose command line names this state directory and `name`; not the command itself.
    func processes(named name: String, of state: URL) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap(Int32.init).filter { id in
            guard let line = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else { return false }
            let command = String(decoding: line, as: UTF8.self)
            return command.contains(state.path) && command.contains(name) && !command.contains("recognize")
        }
    }
}
