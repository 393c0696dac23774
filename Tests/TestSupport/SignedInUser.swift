import Foundation

/// A registered user and the calls that most tests make for one.
package struct SignedInUser: Sendable {
    package static let password = "correct horse battery staple"

    package let id: Int
    package let email: String
    package let token: String
    package let refreshToken: String
    let chatBase: String

    /// Asks a ChatService as this user.
    package var chat: ServiceClient { ServiceClient(base: chatBase, token: token) }

    /// This user at another replica.
    package func at(_ replica: SpawnedService) -> ServiceClient { replica.client.with(token: token) }

    /// A new conversation's id.
    package func newConversation(_ title: String = "A conversation") async throws -> Int {
        let reply = try await chat.post("/conversations", ["title": .string(title)])
        return try reply.json["conversation_id"].int.orThrow("conversation in \(reply)")
    }

    /// Uploads files and returns the id of the message that was accepted.
    package func upload(_ fixtures: [Fixture], to conversation: Int, message: String? = nil) async throws -> Int {
        var form = MultipartForm(fields: [("conversation_id", "\(conversation)")])
        if let message { form.add("message", message) }
        for fixture in fixtures { form.add(file: fixture.name, bytes: try fixture.bytes) }
        let reply = try await chat.post("/chat/file", form)
        guard reply.status == 202 else { throw SuiteFault(description: "not accepted: \(reply)") }
        return try reply.json["message_id"].int.orThrow("message in \(reply)")
    }

    /// Waits for a message to be completed, failed or cancelled.
    package func finalMessage(_ id: Int, at client: ServiceClient? = nil, atMost limit: Duration = .seconds(300))
        async throws
        -> JSON
    {
        let client = client ?? chat
        return try await polling(for: "message \(id) to be final", atMost: limit) {
            let message = try await client.get("/messages/\(id)")
            guard message.status == 200 else { throw SuiteFault(description: "GET /messages/\(id): \(message)") }
            return message.json["status"] == "processing" ? nil : message.json
        }
    }
}

extension Suite {
    /// Registers a new user, who asks the first ChatService unless told otherwise.
    package func register(_ name: String = "Ann") async throws -> SignedInUser {
        let email = "\(UUID().uuidString.lowercased())@example.org"
        let body: JSON = ["email": .string(email), "password": .string(SignedInUser.password), "name": .string(name)]
        let reply = try await auth.client.post("/register", body)
        guard reply.status == 201 else { throw SuiteFault(description: "POST /register: \(reply)") }
        return SignedInUser(
            id: try reply.json["user"]["id"].int.orThrow("user.id in \(reply)"), email: email,
            token: try reply.json["token"].string.orThrow("token in \(reply)"),
            refreshToken: try reply.json["refresh_token"].string.orThrow("refresh_token in \(reply)"),
            chatBase: chats.first?.client.base ?? "")
    }
}
