import Foundation
import NIOCore
import TestSupport
import Testing

/// The contract's old paths as the front end of the original services calls them: it knows one token for three days,
/// form fields, integer ids and `detail`, and nothing that was added since.
@Suite("The original front end")
struct OriginalClientTests {
    @Test func itSignsInAsksUploadsAndReadsTheHistory() async throws {
        try await withSuite(settings: ["ACCESS_TOKEN_SECONDS": "259200"]) { suite in
            let auth = try suite.auth.client
            let email = "\(UUID().uuidString.lowercased())@example.org"
            let account: JSON = ["email": .string(email), "password": "a good password", "name": "Ann"]
            let registered = try await auth.post("/register", account)
            #expect(registered.status == 201)
            #expect(registered.json["expires_in"] == 259_200)
            let again = try await auth.post("/register", account)
            #expect(again.status == 409)
            #expect(again.json["detail"] == "email already exists")
            let wrong = try await auth.post("/login", ["email": .string(email), "password": "a bad password"])
            #expect(wrong.status == 401)
            #expect(wrong.json["detail"] == "invalid credentials")
            let login = try await auth.post("/login", ["email": .string(email), "password": "a good password"])
            let token = try login.json["token"].string.orThrow("token in \(login)")
            let profile = try await auth.with(token: token).get("/api/profile").json
            #expect(profile["user_id"] == login.json["user"]["id"])
            #expect(profile["email"].string == email)

            let chat = suite.chats[0].client.with(token: token)
            let created = try await chat.post("/conversations", ["title": "Leases", "business_context": "A landlord"])
            #expect(created.json["user_id"] == profile["user_id"])
            let id = try created.json["conversation_id"].int.orThrow("conversation_id in \(created)")
            try await ask(chat, id)
            try await upload(chat, id)
            let listed = try await chat.get("/conversations").json["conversations"].array
            #expect(listed.map { $0["conversation_id"].int } == [id])
            #expect(listed.first?["title"] == "Leases", "a title that was given stays")
            #expect(listed.first?["messages_count"] == 6)
            let changed = try await auth.with(token: token).post(
                "/api/change-password", ["old_password": "a good password", "new_password": "a better password"])
            #expect(changed.json["message"] == "password updated successfully")
            #expect(try await chat.send(.DELETE, "/conversations/\(id)").status == 204)
            let gone = try await chat.get("/conversations/\(id)/messages")
            #expect(gone.status == 404)
            #expect(gone.json["detail"].string?.isEmpty == false)
        }
    }

    /// `application/x-www-form-urlencoded` and `FormData`.
    private func ask(_ chat: ServiceClient, _ id: Int) async throws {
        let encoded = try await chat.send(
            .POST, "/chat", headers: ["Content-Type": "application/x-www-form-urlencoded"],
            body: ByteBuffer(string: "conversation_id=\(id)&message=What+is+a+lease%3F&domain=legal"))
        let form = MultipartForm(fields: [("conversation_id", "\(id)"), ("message", "А договор?"), ("domain", "")])
        for reply in [encoded, try await chat.post("/chat", form)] {
            #expect(reply.status == 200, "\(reply)")
            #expect(reply.json["status"] == "success")
            #expect(reply.json["response"].string?.isEmpty == false)
            #expect(reply.json["conversation_id"].int == id)
            #expect(reply.json["message_id"].int != nil)
        }
        let history = try await chat.get("/conversations/\(id)/messages").json["messages"].array
        #expect(history.map { $0["content"] }.first == "What is a lease?")
        #expect(history.map { $0["role"] } == ["user", "assistant", "user", "assistant"])
    }

    /// Sends a file and looks at the history until its answer is there.
    private func upload(_ chat: ServiceClient, _ id: Int) async throws {
        var form = MultipartForm(fields: [("conversation_id", "\(id)"), ("message", "Read this")])
        form.add(file: "note.txt", bytes: Data("Арендная плата: 100".utf8))
        let reply = try await chat.post("/chat/file", form)
        #expect(reply.status == 202, "\(reply)")
        let message = try reply.json["message_id"].int.orThrow("message_id")
        let history = try await polling(for: "the answer to a file", atMost: .seconds(60)) {
            let messages = try await chat.get("/conversations/\(id)/messages").json["messages"].array
            return messages.contains { $0["reply_to"].int == message } ? messages : nil
        }
        #expect(history.first { $0["id"].int == message }?["content"] == "Read this\n\nАрендная плата: 100")
    }
}
