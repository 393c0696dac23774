import Foundation
import TestSupport
import Testing

/// What a person does, from the first call to the last, on real processes.
@Suite("The flows, end to end")
struct FlowTests {
    @Test func aPersonRegistersAsksAndFindsEverythingAgain() async throws {
        try await withSuite { suite in
            let user = try await suite.register("Ann")
            let login = try await suite.auth.client.post(
                "/login", ["email": .string(user.email), "password": .string(SignedInUser.password)])
            #expect(login.status == 200)
            #expect(login.json.keys == ["token", "token_type", "expires_in", "refresh_token", "user"])
            let token = try login.json["token"].string.orThrow("token")
            let chat = user.chat.with(token: token)

            let created = try await chat.post("/conversations", ["title": "Leases"])
            #expect(created.status == 201)
            #expect(created.json["title"] == "Leases")
            #expect(created.json["user_id"].int == user.id)
            let id = try created.json["conversation_id"].int.orThrow("conversation_id")

            let question: JSON = .string("What should a lease contain?")
            let answer = try await chat.post("/chat", ["conversation_id": .number(Double(id)), "message": question])
            #expect(answer.status == 200, "\(answer)")
            #expect(answer.json["status"] == "success")
            #expect(answer.json["conversation_id"].int == id)
            #expect(answer.headers.first(name: "Cache-Control")?.contains("no-store") == true)

            let history = try await chat.get("/conversations/\(id)/messages").json
            let messages = history["messages"].array
            #expect(messages.map { $0["role"] } == ["user", "assistant"])
            #expect(messages.map { $0["status"] } == ["completed", "completed"])
            #expect(messages.first?["content"] == question)
            #expect(messages.last?["content"] == answer.json["response"])
            #expect(messages.last?["id"] == answer.json["message_id"])
            #expect(messages.last?["reply_to"] == answer.json["user_message_id"])

            let list = try await chat.get("/conversations").json
            #expect(list["total"] == 1)
            #expect(list["conversations"][0]["messages_count"] == 2)
        }
    }

    @Test func aQuestionMayComeAsAFormOfEitherKind() async throws {
        try await withSuite { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            let urlEncoded = try await user.chat.send(
                .POST, "/chat", headers: ["Content-Type": "application/x-www-form-urlencoded"],
                body: .init(string: "conversation_id=\(id)&message=%D0%9F%D1%80%D0%B8%D0%B2%D0%B5%D1%82%2C+world"))
            #expect(urlEncoded.status == 200, "\(urlEncoded)")
            let form = MultipartForm(fields: [("conversation_id", "\(id)"), ("message", "Second"), ("domain", "legal")])
            let multipart = try await user.chat.post("/chat", form)
            #expect(multipart.status == 200, "\(multipart)")
            let history = try await user.chat.get("/conversations/\(id)/messages?order=asc").json["messages"].array
            #expect(history.map { $0["content"] }.first == "Привет, world")
            #expect(history.count == 4)
        }
    }

    @Test func aScannedPDFIsReadPageByPageInSightOfTheUser() async throws {
        try await withSuite(settings: ["OCR_WORKERS": "1"]) { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            let fixture = Fixture("documents/scan_mixed_5pages.pdf")
            var form = MultipartForm(fields: [("conversation_id", "\(id)"), ("message", "What is this?")])
            form.add(file: fixture.name, bytes: try fixture.bytes)
            let accepted = try await user.chat.post("/chat/file", form)
            #expect(accepted.status == 202, "\(accepted)")
            #expect(accepted.json["status"] == "processing")
            let message = try accepted.json["message_id"].int.orThrow("message_id")
            #expect(accepted.headers.first(name: "Location") == "/messages/\(message)")
            #expect(accepted.headers.first(name: "Retry-After") == "1")

            let seen = try await progress(of: message, for: user)
            #expect(seen.contains { $0 > 0 && $0 < 5 }, "pages seen while it ran: \(seen)")
            let final = try await user.finalMessage(message)
            #expect(final["status"] == "completed", "\(final)")
            #expect(final["progress"].isNull)
            #expect(final["files"][0]["pages_total"] == 5)
            #expect(final["files"][0]["pages_done"] == 5)
            #expect(final["content"].string?.hasPrefix("What is this?\n\n") == true)
            let history = try await user.chat.get("/conversations/\(id)/messages").json["messages"].array
            #expect(history.map { $0["role"] } == ["user", "assistant"])
            #expect(history.last?["reply_to"].int == message)
        }
    }

    /// The numbers of pages done that were seen until the message was final.
    private func progress(of message: Int, for user: SignedInUser) async throws -> [Int] {
        var seen: [Int] = []
        while true {
            let current = try await user.chat.get("/messages/\(message)").json
            guard current["status"] == "processing" else { return seen }
            if let pages = current["progress"]["pages_done"].int, seen.last != pages { seen.append(pages) }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    @Test func theAnswerMayBeWatchedWhileItIsWritten() async throws {
        try await ScriptedModelServer.run(replies: [ScriptedModelServer.answer("One ", "two ", "three.")]) { model in
            try await withSuite(settings: model.settings) { suite in
                let user = try await suite.register()
                let id = try await user.newConversation()
                let body: JSON = ["conversation_id": .number(Double(id)), "message": "Count"]
                let (status, events) = try await user.chat.events(.POST, "/chat", json: body)
                #expect(status == 200)
                var all: [ServerSentEvent] = []
                for try await event in events { all.append(event) }
                #expect(all.first?.name == "accepted")
                #expect(all.last?.name == "done")
                let deltas = all.filter { $0.name == "delta" }.compactMap { $0.json["text"].string }
                #expect(deltas.joined() == "One two three.")
                #expect(all.last?.json["response"] == "One two three.")
                #expect(all.last?.json["usage"]["total_tokens"] == 10)
                let history = try await user.chat.get("/conversations/\(id)/messages").json["messages"]
                #expect(history[1]["usage"] == all.last?.json["usage"])
                #expect(history[1]["usage"]["model"].string == model.settings["LLM_MODEL"])
                #expect(all.first?.json["message_id"] == all.last?.json["message_id"])
            }
        }
    }

    /// The first piece is sent on before the model says the next one, and a reader that leaves then has its answer.
    @Test func aPieceIsSentOnAtOnceAndAReaderThatLeavesHasItsAnswer() async throws {
        let steps = [ScriptedModelServer.Step.streamHead, .delta("One "), .wait, .delta("two."), .finish]
        try await ScriptedModelServer.run(replies: [steps]) { model in
            try await withSuite(settings: model.settings) { suite in
                let user = try await suite.register()
                let id = try await user.newConversation()
                let body: JSON = ["conversation_id": .number(Double(id)), "message": "Count"]
                var seen: [ServerSentEvent] = []
                var reader: EventStream? = try await user.chat.events(.POST, "/chat", json: body).events
                for try await event in try reader.orThrow("reader") {
                    seen.append(event)
                    if event.name == "delta" { break }
                }
                // The model waits: nothing but the first piece can have been there.
                #expect(seen.map(\.name) == ["accepted", "delta"])
                #expect(seen.last?.json["text"] == "One ")
                reader = nil
                model.release()
                let question = try seen[0].json["user_message_id"].int.orThrow("user_message_id")
                #expect(try await user.finalMessage(question)["status"] == "completed")
                let answer = try seen[0].json["message_id"].int.orThrow("message_id")
                #expect(try await user.chat.get("/messages/\(answer)").json["content"] == "One two.")
            }
        }
    }

    @Test func historyOfEarlierQuestionsReachesTheModel() async throws {
        try await ScriptedModelServer.run(replies: [ScriptedModelServer.answer("All ", "is ", "well.")]) { model in
            try await withSuite(settings: model.settings) { suite in
                let user = try await suite.register()
                let id = try await user.newConversation()
                for text in ["My name is Ann.", "What is my name?"] {
                    let body: JSON = ["conversation_id": .number(Double(id)), "message": .string(text)]
                    #expect(try await user.chat.post("/chat", body).status == 200)
                }
                let prompt = try JSON(parsing: Data(model.requests.last.orThrow("a call").body.utf8))["messages"].array
                #expect(prompt.map { $0["role"] } == ["system", "user", "assistant", "user"])
                #expect(
                    prompt.dropFirst().map { $0["content"] } == ["My name is Ann.", "All is well.", "What is my name?"])
            }
        }
    }
}
