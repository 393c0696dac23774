import Foundation
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

/// A request that is repeated with its `Idempotency-Key` is done once, whichever replicas it reaches.
@Suite("Idempotency keys through the suite")
struct IdempotencyTests {
    private func key(_ text: String) -> HTTPHeaders { ["Idempotency-Key": text] }

    private func question(_ id: Int, _ text: String = "Think") -> JSON {
        ["conversation_id": .number(Double(id)), "message": .string(text)]
    }

    /// Repeats a call for as long as it is told to come again.
    private func insisting(_ call: @escaping @Sendable () async throws -> Reply) async throws -> Reply {
        try await polling(for: "a final answer", atMost: .seconds(60), every: .milliseconds(100)) {
            let reply = try await call()
            guard reply.status == 409 else { return reply }
            #expect(reply.code == "idempotency_in_progress")
            #expect(reply.headers.first(name: "Retry-After").flatMap { Int($0) } != nil)
            return nil
        }
    }

    @Test func fiftyClientsWithOneKeyOnThreeReplicasMakeOneQuestionAndGetOneAnswer() async throws {
        try await ScriptedModelServer.run(replies: [[.wait] + ScriptedModelServer.answer("Once.")]) { model in
            try await withSuite(replicas: 3, settings: model.settings) { suite in
                let user = try await suite.register()
                let id = try await user.newConversation()
                let body = question(id)
                let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                    for number in 0..<50 {
                        let client = user.at(suite.chats[number % 3])
                        group.addTask {
                            try await insisting { try await client.post("/chat", body, headers: key("one")) }
                        }
                    }
                    await model.waitForRequests(1)
                    let early = try await user.chat.post("/chat", body, headers: key("one"))
                    #expect(early.status == 409, "\(early)")
                    model.release()
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(Set(replies.map(\.status)) == [200])
                #expect(Set(replies.map(\.text)).count == 1)
                let history = try await user.chat.get("/conversations/\(id)/messages").json["messages"].array
                #expect(history.map { $0["content"] } == ["Think", "Once."])
                #expect(model.requests.count == 1)
            }
        }
    }

    @Test func aRepetitionMayHaveAnyFormAndMustHaveTheSamePayload() async throws {
        try await withSuite { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            let first = try await user.chat.post("/chat", question(id), headers: key("form"))
            #expect(first.status == 200, "\(first)")
            let form = try await user.chat.send(
                .POST, "/chat",
                headers: ["Idempotency-Key": "form", "Content-Type": "application/x-www-form-urlencoded"],
                body: ByteBuffer(string: "conversation_id=\(id)&message=Think"))
            #expect(form.text == first.text)
            let fields = MultipartForm(fields: [("conversation_id", "\(id)"), ("message", "Think")])
            #expect(try await user.chat.post("/chat", fields, headers: key("form")).text == first.text)
            let (status, events) = try await user.chat.events(.POST, "/chat", json: question(id), headers: key("form"))
            #expect(status == 200)
            let seen = try await events.reduce(into: [ServerSentEvent]()) { $0.append($1) }
            #expect(seen.map(\.name) == ["accepted", "done"])
            #expect(seen.last?.json == first.json)

            let other = try await user.chat.post("/chat", question(id, "Other"), headers: key("form"))
            #expect(other.status == 422)
            #expect(other.code == "idempotency_key_reused")
            let history = try await user.chat.get("/conversations/\(id)/messages").json["messages"].array
            #expect(history.count == 2)
        }
    }

    @Test func anotherReplicaFinishesAndTheRepetitionYieldsItsAnswer() async throws {
        let held = [.wait] + ScriptedModelServer.answer("lost")
        try await ScriptedModelServer.run(replies: [held, ScriptedModelServer.answer("All is well.")]) { model in
            let settings = model.settings.merging(["LEASE_SECONDS": "3"]) { $1 }
            try await withSuite(replicas: 2, settings: settings) { suite in
                let user = try await suite.register()
                let id = try await user.newConversation()
                let body = question(id)
                let asked = Task { try await user.chat.post("/chat", body, headers: key("dead")) }
                await model.waitForRequests(1)
                try await suite.chats[0].process.kill()
                #expect((try? await asked.value)?.status != 200)
                let other = user.at(suite.chats[1])
                let reply = try await insisting { try await other.post("/chat", body, headers: key("dead")) }
                #expect(reply.json["response"] == "All is well.", "\(reply)")
                let history = try await other.get("/conversations/\(id)/messages").json["messages"].array
                #expect(history.count == 2)
                model.release()
            }
        }
    }

    @Test func anUploadIsStoredOnce() async throws {
        try await withSuite(replicas: 2) { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            let note = try Fixture("documents/note_utf8.txt").bytes
            @Sendable func form(_ bytes: Data) -> MultipartForm {
                var form = MultipartForm(fields: [("conversation_id", "\(id)")])
                form.add(file: "note.txt", bytes: bytes)
                return form
            }
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for number in 0..<20 {
                    let client = user.at(suite.chats[number % 2])
                    group.addTask {
                        try await insisting { try await client.post("/chat/file", form(note), headers: key("file")) }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(replies.map(\.status)) == [202], "\(replies)")
            #expect(Set(replies.map(\.text)).count == 1)
            let message = try replies[0].json["message_id"].int.orThrow("message_id")
            #expect(Set(replies.compactMap { $0.headers.first(name: "Location") }) == ["/messages/\(message)"])
            let other = try await user.chat.post("/chat/file", form(Data("Else".utf8)), headers: key("file"))
            #expect(other.code == "idempotency_key_reused")
            _ = try await user.finalMessage(message)
            let later = try await user.chat.post("/chat/file", form(note), headers: key("file"))
            #expect(later.text == replies[0].text, "also when the work is done")
            let history = try await user.chat.get("/conversations/\(id)/messages").json["messages"].array
            #expect(history.map { $0["role"] } == ["user", "assistant"])
        }
    }

    @Test func aQuestionWithFilesIsAnsweredOnceAwaitedOrAsEvents() async throws {
        try await withSuite { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            var form = MultipartForm(fields: [("conversation_id", "\(id)"), ("message", "What does it say?")])
            form.add(file: "note.txt", bytes: try Fixture("documents/note_utf8.txt").bytes)
            let sent = form
            let first = try await user.chat.post("/chat", sent, headers: key("awaited"))
            #expect(first.status == 200, "\(first)")
            #expect(try await user.chat.post("/chat", sent, headers: key("awaited")).text == first.text)
            let again = try await user.chat.post(
                "/chat", sent, headers: ["Idempotency-Key": "awaited", "Accept": "text/event-stream"])
            #expect(again.text.contains("event: accepted"))
            #expect(again.text.contains("data: \(first.text)\n"))

            let impatient: HTTPHeaders = ["Idempotency-Key": "impatient", "Prefer": "wait=0"]
            let accepted = try await user.chat.post("/chat", sent, headers: impatient)
            #expect(accepted.status == 202, "\(accepted)")
            let message = try accepted.json["message_id"].int.orThrow("message_id")
            _ = try await user.finalMessage(message)
            let repeated = try await user.chat.post("/chat", sent, headers: key("impatient"))
            #expect(repeated.status == 202, "the first answer again: \(repeated)")
            #expect(repeated.text == accepted.text)
            let history = try await user.chat.get("/conversations/\(id)/messages").json["messages"].array
            #expect(history.count == 4)
        }
    }

    @Test func aQuestionWithFilesIsAnsweredAsItIsWritten() async throws {
        let steps: [ScriptedModelServer.Step] = [
            .streamHead, .delta("All is"), .wait, .delta(" well."), .finish,
        ]
        try await ScriptedModelServer.run(replies: [steps]) { model in
            try await withSuite(replicas: 2, settings: model.settings) { suite in
                let user = try await suite.register()
                let id = try await user.newConversation()
                var form = MultipartForm(fields: [("conversation_id", "\(id)"), ("message", "Is it?")])
                form.add(file: "note.txt", bytes: try Fixture("documents/note_utf8.txt").bytes)
                let (status, stream) = try await user.chat.events(form, "/chat")
                #expect(status == 200)
                var names: [String] = []
                var text = ""
                for try await event in stream {
                    names.append(event.name)
                    text += event.json["text"].string ?? ""
                    if text == "All is" { model.release() }
                    if event.name == "done" { #expect(event.json["response"] == "All is well.") }
                }
                #expect(names.first == "accepted")
                #expect(names.last == "done")
                #expect(text == "All is well.", "the pieces alone are the answer: \(names)")
            }
        }
    }

    @Test func aConversationIsMadeOnceAndItsFirstAnswerStays() async throws {
        try await withSuite(replicas: 2) { suite in
            let user = try await suite.register()
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for number in 0..<20 {
                    let client = user.at(suite.chats[number % 2])
                    group.addTask {
                        try await insisting {
                            try await client.post("/conversations", ["title": "Mine"], headers: key("new"))
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(replies.map(\.status)) == [201])
            #expect(Set(replies.map(\.text)).count == 1)
            let id = try replies[0].json["conversation_id"].int.orThrow("conversation_id")
            _ = try await user.chat.send(.PATCH, "/conversations/\(id)", json: ["title": "Renamed"])
            let later = try await user.chat.post("/conversations", ["title": "Mine"], headers: key("new"))
            #expect(later.text == replies[0].text)
            #expect(later.headers.first(name: "Location") == "/conversations/\(id)")
            #expect(try await user.chat.get("/conversations").json["total"] == 1)
            let other = try await user.chat.post("/conversations", ["title": "Else"], headers: key("new"))
            #expect(other.code == "idempotency_key_reused")
        }
    }

    @Test func aFailedQuestionFailsAgainAndARefusedOneCanBeAskedAnew() async throws {
        let replies = [ScriptedModelServer.refusal(400), [.wait] + ScriptedModelServer.answer("Later.")]
        try await ScriptedModelServer.run(replies: replies) { model in
            try await withSuite(settings: model.settings.merging(["QUEUE_JOBS_PER_USER": "1"]) { $1 }) { suite in
                let user = try await suite.register()
                let id = try await user.newConversation()
                let failed = try await user.chat.post("/chat", question(id), headers: key("fails"))
                #expect(failed.code == "llm_failed")
                let again = try await user.chat.post("/chat", question(id), headers: key("fails"))
                #expect(again.status == 502)
                #expect(again.json["user_message_id"] == failed.json["user_message_id"])
                #expect(model.requests.count == 1, "the model is not asked again")

                let empty = try await user.chat.post("/chat", question(id, " "), headers: key("empty"))
                #expect(empty.code == "empty_message")
                let fixed = try await user.chat.post("/chat", question(id, "Full"), headers: key("empty"))
                #expect(fixed.code == "idempotency_key_reused")

                let slow = Task { try await user.chat.post("/chat", question(id, "Slow"), headers: key("slow")) }
                await model.waitForRequests(2)
                let refused = try await user.chat.post("/chat", question(id, "Next"), headers: key("next"))
                #expect(refused.code == "too_many_jobs")
                model.release()
                #expect(try await slow.value.status == 200)
                let next = try await user.chat.post("/chat", question(id, "Next"), headers: key("next"))
                #expect(next.status == 200, "\(next)")
            }
        }
    }
}
