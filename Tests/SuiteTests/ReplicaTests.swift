import Foundation
import TestSupport
import Testing

/// Replicas are equal, and any of them may be killed at any moment.
@Suite("Replicas")
struct ReplicaTests {
    /// An answer that begins when the model is released.
    private func held(_ text: String) -> [ScriptedModelServer.Step] { [.wait] + ScriptedModelServer.answer(text) }

    @Test func twoReplicasSeeEachOthersWork() async throws {
        try await withSuite(replicas: 2) { suite in
            let user = try await suite.register()
            let (here, there) = (user.at(suite.chats[0]), user.at(suite.chats[1]))
            let id = try await user.newConversation("Shared")
            #expect(try await there.get("/conversations/\(id)").json["title"] == "Shared")

            let body: JSON = ["conversation_id": .number(Double(id)), "message": "Hello"]
            #expect(try await here.post("/chat", body).status == 200)
            let message = try await user.upload([Fixture("documents/letter_en_clean.png")], to: id)
            let atOnce = try await there.get("/messages/\(message)")
            #expect(atOnce.status == 200, "visible at once on the other replica: \(atOnce)")
            #expect(try await user.finalMessage(message, at: there)["status"] == "completed")

            let pages = try await [here, there].asyncMap { try await $0.get("/conversations/\(id)/messages") }
            #expect(pages[0].json == pages[1].json)
            #expect(pages[0].headers.first(name: "ETag") == pages[1].headers.first(name: "ETag"))
            let tag = try pages[0].headers.first(name: "ETag").orThrow("ETag")
            let again = try await there.get("/conversations/\(id)/messages", headers: ["If-None-Match": tag])
            #expect(again.status == 304)
        }
    }

    @Test(.tags(.alone)) func aSessionThatLogsOutIsRefusedByAllWithinASecond() async throws {
        try await withSuite(replicas: 2) { suite in
            let user = try await suite.register()
            #expect(try await user.chat.get("/conversations").status == 200)
            let logout = try await suite.auth.client.with(token: user.token).send(.POST, "/logout")
            #expect(logout.status == 204)
            for service in try [suite.auth] + suite.chats {
                let path = try service.process.id == suite.auth.process.id ? "/api/profile" : "/conversations"
                _ = try await polling(for: "\(service.process.name) to refuse the token", atMost: .seconds(1)) {
                    try await user.at(service).get(path).code == "invalid_token" ? true : nil
                }
            }
        }
    }

    @Test func aReplicaKilledWhileItReadsIsReplacedByTheOther() async throws {
        let settings = ["OCR_WORKERS": "1", "LEASE_SECONDS": "5"]
        try await withSuite(replicas: 1, settings: settings) { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            let message = try await user.upload([Fixture("documents/scan_mixed_5pages.pdf")], to: id)
            let done = try await polling(for: "the first page", atMost: .seconds(300)) {
                let progress = try await user.chat.get("/messages/\(message)").json["progress"]
                return progress["pages_done"].int.flatMap { $0 > 0 ? $0 : nil }
            }
            #expect(done < 5)
            let other = try await suite.start(.chat)
            try await suite.chats[0].process.kill()

            let final = try await user.finalMessage(message, at: user.at(other))
            #expect(final["status"] == "completed", "\(final)")
            #expect(final["files"][0]["pages_done"] == 5)
            let truth = try Fixture("documents/scan_mixed_5pages.pdf").trueText
            #expect(DocumentTests.shareOfWords(of: truth, in: final["content"].string ?? "") > 0.9)
            let history = try await user.at(other).get("/conversations/\(id)/messages").json["messages"].array
            #expect(history.filter { $0["reply_to"].int == message }.count == 1)
        }
    }

    @Test func aReplicaKilledWhileTheModelThinksIsReplacedByTheOther() async throws {
        try await ScriptedModelServer.run(replies: [held("lost"), ScriptedModelServer.answer("All is well.")]) {
            model in
            let settings = model.settings.merging(["LEASE_SECONDS": "5"]) { $1 }
            try await withSuite(replicas: 2, settings: settings) { suite in
                let user = try await suite.register()
                let id = try await user.newConversation()
                let asked = Task {
                    try await user.chat.post("/chat", ["conversation_id": .number(Double(id)), "message": "Think"])
                }
                await model.waitForRequests(1)
                try await suite.chats[0].process.kill()
                #expect((try? await asked.value)?.status != 200)

                let other = user.at(suite.chats[1])
                let question = try await other.get("/conversations/\(id)/messages").json["messages"][0]
                #expect(question["content"] == "Think", "the question was committed before the model was asked")
                let message = try question["id"].int.orThrow("id")
                #expect(try await user.finalMessage(message, at: other)["status"] == "completed")
                let history = try await other.get("/conversations/\(id)/messages").json["messages"].array
                #expect(history.map { $0["role"] } == ["user", "assistant"])
                #expect(history.last?["content"] == "All is well.")
                model.release()
            }
        }
    }

    /// SIGSTOP: to the others it is dead; when it wakes up it must find that its work is not its own any more.
    @Test func aReplicaThatWasAsleepWritesNothingLate() async throws {
        try await ScriptedModelServer.run(replies: [held("late"), ScriptedModelServer.answer("All is well.")]) {
            model in
            let settings = model.settings.merging(["LEASE_SECONDS": "5"]) { $1 }
            try await withSuite(replicas: 2, settings: settings) { suite in
                let user = try await suite.register()
                let id = try await user.newConversation()
                let asked = Task {
                    try await user.chat.post("/chat", ["conversation_id": .number(Double(id)), "message": "Think"])
                }
                await model.waitForRequests(1)
                suite.chats[0].process.signal(SIGSTOP)
                let other = user.at(suite.chats[1])
                let question = try await other.get("/conversations/\(id)/messages").json["messages"][0]["id"].int
                let final = try await user.finalMessage(try question.orThrow("question"), at: other)
                #expect(final["status"] == "completed")

                model.release()
                suite.chats[0].process.signal(SIGCONT)
                _ = try? await asked.value
                let history = try await other.get("/conversations/\(id)/messages").json["messages"].array
                #expect(history.map { $0["content"] } == ["Think", "All is well."])
            }
        }
    }

    @Test(.tags(.alone)) func aReplicaAskedToStopFinishesWhatItHasAndTellsTheProxyAtOnce() async throws {
        try await ScriptedModelServer.run(replies: [held("in time")]) { model in
            try await withSuite(settings: model.settings) { suite in
                let user = try await suite.register()
                let id = try await user.newConversation()
                let asked = Task {
                    try await user.chat.post("/chat", ["conversation_id": .number(Double(id)), "message": "Quick"])
                }
                await model.waitForRequests(1)
                suite.chats[0].process.signal(SIGTERM)
                _ = try await polling(for: "/readyz to say 503 or the door to be closed", atMost: .seconds(2)) {
                    let ready = try? await suite.chats[0].client.get("/readyz")
                    return ready?.status == 200 ? nil : true
                }
                model.release()
                #expect(try await asked.value.json["response"] == "in time")
                #expect(try await suite.chats[0].process.waitForExit(atMost: .seconds(20)) == 0)
            }
        }
    }
}

extension Array {
    /// One after the other.
    func asyncMap<R>(_ transform: (Element) async throws -> R) async rethrows -> [R] {
        var results: [R] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
