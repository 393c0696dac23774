import Foundation
import TestSupport
import Testing

/// `GET /conversations/{id}/events` between real processes.
@Suite("Events of a conversation")
struct EventTests {
    /// A reader at another replica sees the question, the pieces while they are written, and both ends.
    @Test func anotherReplicaTellsWhatIsWrittenWhileItIsWritten() async throws {
        try await ScriptedModelServer.run(replies: [slow(["Да, ", "«so» 👍🏽", " it", " is.", "\n\nEnd"])]) { model in
            try await withSuite(replicas: 2, settings: model.settings) { suite in
                let user = try await suite.register()
                let id = try await user.newConversation("New conversation")
                var screen = EventScreen()
                let reader = try await screen.open(user.at(suite.chats[1]), conversation: id)
                try await reader.waitForBeginning()
                async let asked = user.chat.post("/chat", ["conversation_id": .number(Double(id)), "message": "So?"])
                try await screen.read(reader) { $0.isAnswered }
                let answer = try await asked.json["response"].string
                #expect(screen.assembled.values.map { $0 } == [answer])
                #expect(screen.deltas > 1, "the answer came in pieces")
                #expect(screen.titles == ["So?"])
                #expect(screen.statuses.first == "processing")
            }
        }
    }

    @Test func aSilentStreamSaysAPingEveryFifteenSeconds() async throws {
        try await withSuite { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            let port = try suite.chats[0].client.base.split(separator: ":").last.flatMap { Int($0) }.orThrow("port")
            let times = try await RawConnection.open(port: port) { reader in
                try await reader.send(
                    """
                    GET /conversations/\(id)/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(user.token)\r\n\
                    Accept: text/event-stream\r\n\r\n
                    """)
                var times: [ContinuousClock.Instant] = [.now]
                for _ in 1...2 {
                    _ = try await reader.receive(through: ": ping\n\n")
                    times.append(.now)
                }
                return times
            }
            // The first silence began with the stream, up to a tick before.
            #expect(times[0].duration(to: times[1]) > .seconds(13))
            #expect(abs(times[1].duration(to: times[2]) / .seconds(1) - 15) < 2, "\(times)")
        }
    }

    /// The replica that writes the answer is killed in the middle of it; a reader that changes replicas with every few
    /// events, and says in both ways where it is, assembles exactly what is stored in the end.
    @Test func aReaderThatChangesReplicasWhileTheWriterIsKilledAssemblesTheStoredText() async throws {
        let pieces = slow(["I was ", "about ", "to say ", "something ", "quite ", "different", "!"])
        let first = Array(pieces.dropLast()) + [.hang]
        let second = slow((0..<30).map { "piece \($0), " })
        let script: ScriptedModelServer.Script = { index, _ in index == 0 ? first : second }
        try await ScriptedModelServer.run(script) { model in
            let settings = model.settings.merging(["LEASE_SECONDS": "3"]) { $1 }
            try await withSuite(replicas: 3, settings: settings) { suite in
                let user = try await suite.register()
                let id = try await user.newConversation()
                var screen = EventScreen()
                let start = try await screen.open(user.at(suite.chats[1]), conversation: id)
                let asked = Task {
                    try? await user.chat.post("/chat", ["conversation_id": .number(Double(id)), "message": "Think"])
                }
                try await screen.read(start) { $0.deltas > 2 }
                try await suite.chats[0].process.kill()
                _ = await asked.value
                var turn = 0
                while !screen.isAnswered {
                    turn += 1
                    let replica = suite.chats[1 + turn % 2]
                    // Two by two, so that both replicas are told in both ways.
                    let way: EventScreen.Resumption = turn % 4 < 2 ? .header : .query
                    let reader = try await screen.open(user.at(replica), conversation: id, by: way)
                    let seen = screen.events
                    try await screen.read(reader) { $0.events > seen + 3 || $0.isAnswered }
                }
                let stored = try await user.at(suite.chats[1]).get("/conversations/\(id)/messages").json["messages"]
                #expect(stored.array.count == 2)
                #expect(screen.assembled.values.map { $0 } == [stored[1]["content"].string])
                #expect(screen.restarts > 0, "the second attempt says something else")
                #expect(turn > 2)
            }
        }
    }

    /// The stop button: what was said stays, as one answer, and the question can be asked again.
    @Test func cancellingWhileAnsweringKeepsWhatWasSaidAndARetryMakesItWhole() async throws {
        let held = [ScriptedModelServer.Step.streamHead, .delta("Half "), .delta("of it"), .hang]
        try await ScriptedModelServer.run(replies: [held, ScriptedModelServer.answer("All of it")]) { model in
            try await withSuite(replicas: 2, settings: model.settings) { suite in
                let user = try await suite.register()
                let id = try await user.newConversation()
                let other = user.at(suite.chats[1])
                var screen = EventScreen()
                let reader = try await screen.open(other, conversation: id)
                let asked = Task {
                    try await user.chat.post("/chat", ["conversation_id": .number(Double(id)), "message": "Say it"])
                }
                try await screen.read(reader) { $0.assembled.values.contains("Half of it") }
                let answerID = try screen.assembled.keys.first.orThrow("an answer")
                let question = try await other.get("/conversations/\(id)/messages").json["messages"][0]["id"].int
                let path = "/messages/\(try question.orThrow("question"))"
                let cancelled = try await other.post(path + "/cancel")
                #expect(cancelled.status == 202)
                #expect(cancelled.json["status"] == "cancelled")
                #expect(try await asked.value.code == "cancelled")
                let partial = try await other.get("/messages/\(answerID)").json
                #expect(partial["status"] == "cancelled")
                #expect(partial["content"] == "Half of it")
                #expect(partial["reply_to"].int == question)
                let usage = partial["usage"]
                #expect(usage["model"].string == model.settings["LLM_MODEL"])
                #expect(usage["completion_tokens"] == 3)
                #expect(try usage["prompt_tokens"].int.orThrow("a count") > 3)
                #expect(usage["estimated"] == true)

                #expect(try await other.post(path + "/retry").status == 202)
                try await screen.read(try await screen.open(other, conversation: id)) { $0.isAnswered }
                let history = try await other.get("/conversations/\(id)/messages").json["messages"].array
                #expect(history.map { $0["content"] } == ["Say it", "All of it"])
                #expect(history.map { $0["status"] } == ["completed", "completed"])
                #expect(history.last?["id"].int == answerID)
            }
        }
    }

    /// A client that reads nothing for a while is told everything when it does.
    @Test func aReaderThatIsSlowMissesNothing() async throws {
        try await withSuite { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            var screen = EventScreen()
            let slow = try await screen.open(user.chat, conversation: id)
            let text = String(repeating: "Долгий разговор. ", count: 580)
            for _ in 0..<40 {
                let body: JSON = ["conversation_id": .number(Double(id)), "message": .string(text)]
                #expect(try await user.chat.post("/chat", body).status == 200)
            }
            try await screen.read(slow) { $0.answers == 40 }
            #expect(screen.answers == 40)
        }
    }

    @Test func aStreamEndsWithTheConversationTheSessionOrTheReplicaAndIsNobodyElses() async throws {
        try await withSuite { suite in
            let user = try await suite.register()
            let other = try await suite.register()
            let id = try await user.newConversation()
            #expect(try await other.chat.events(.GET, "/conversations/\(id)/events").status == 404)
            #expect(try await user.chat.events(.GET, "/conversations/999999/events").status == 404)
            #expect(try await user.chat.events(.GET, "/conversations/\(id)/events?after=x").status == 400)

            let deleted = try await user.chat.events(.GET, "/conversations/\(id)/events")
            #expect(deleted.status == 200)
            #expect(try await user.chat.send(.DELETE, "/conversations/\(id)").status == 204)
            for try await _ in deleted.events {}

            let second = try await user.newConversation()
            let revoked = try await user.chat.events(.GET, "/conversations/\(second)/events")
            #expect(try await suite.auth.client.with(token: user.token).post("/logout").status == 204)
            for try await _ in revoked.events {}

            let third = try await other.newConversation()
            let drained = try await other.chat.events(.GET, "/conversations/\(third)/events")
            suite.chats[0].process.signal(SIGTERM)
            for try await _ in drained.events {}
            #expect(try await suite.chats[0].process.waitForExit(atMost: .seconds(20)) == 0)
        }
    }

    /// Answers in pieces, some way apart.
    private func slow(_ pieces: [String]) -> [ScriptedModelServer.Step] {
        [.streamHead] + pieces.flatMap { [.delta($0), .pause(.milliseconds(120))] } + [.finish]
    }
}

/// A client of events: keeps the last id, and shows what it is told by the rule of the contract, that a delta replaces
/// everything from its offset on.
struct EventScreen {
    private(set) var lastID: String?
    private(set) var assembled: [Int: String] = [:]
    private(set) var statuses: [String] = []
    private(set) var titles: [String] = []
    private(set) var events = 0
    private(set) var deltas = 0
    private(set) var restarts = 0
    private(set) var answers = 0
    var isAnswered: Bool { answers > 0 }

    /// How the service is told where to go on: `Last-Event-ID`, or `?after=` for a client that can set no header.
    enum Resumption: Sendable { case header, query }

    /// Opens the stream where this client is.
    func open(
        _ client: ServiceClient, conversation: Int, by way: Resumption = .header
    ) async throws -> EventStream {
        var path = "/conversations/\(conversation)/events"
        var headers: [(String, String)] = []
        if let lastID {
            switch way {
            case .header: headers = [("Last-Event-ID", lastID)]
            case .query: path += "?after=\(lastID)"
            }
        }
        let (status, events) = try await client.events(.GET, path, headers: .init(headers))
        guard status == 200 else { throw SuiteFault(description: "events: \(status)") }
        return events
    }

    /// Reads until `isEnough` or the end of the stream.
    mutating func read(_ stream: EventStream, until isEnough: (EventScreen) -> Bool) async throws {
        for try await event in stream {
            show(event)
            if isEnough(self) { return }
        }
    }

    private mutating func show(_ event: ServerSentEvent) {
        events += 1
        lastID = event.id ?? lastID
        let json = event.json
        switch event.name {
        case "delta": show(delta: json)
        case "message":
            statuses.append(json["status"].string ?? "")
            guard json["role"] == "assistant", json["status"] == "completed", let id = json["id"].int else { return }
            if assembled[id] == nil { assembled[id] = json["content"].string }
            answers += 1
        case "conversation": titles.append(json["title"].string ?? "")
        default: break
        }
    }

    private mutating func show(delta json: JSON) {
        guard let id = json["message_id"].int, let offset = json["offset"].int, let text = json["text"].string else {
            return
        }
        deltas += 1
        var units = Array((assembled[id] ?? "").utf16)
        if offset < units.count { restarts += 1 }
        units.removeSubrange(min(offset, units.count)...)
        assembled[id] = String(decoding: units + Array(text.utf16), as: UTF16.self)
    }
}
