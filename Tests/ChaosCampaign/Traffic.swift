import Foundation
import NIOHTTP1
import Synchronization
import TestSupport

/// Steady questions and uploads through nginx, each written down before it is sent and when it is answered.
final class Traffic: Sendable {
    /// Several clients at once, each with a user of its own.
    static let clients = 6
    /// How often a call whose outcome is unknown is sent; its `Idempotency-Key` stays the same.
    static let sendsMax = 5

    let site: ChaosSite
    private let documents: Documents
    private let seed: UInt64
    private let nextMark = Mutex(1)
    private let owners = Mutex<[String: ServiceClient]>([:])

    /// Signs the users in and reads every document once, while nothing is broken.
    init(site: ChaosSite, seed: UInt64) async throws {
        self.site = site
        self.seed = seed
        users = try await Self.register(Self.clients, site)
        documents = try await Documents.read(by: users[0])
    }

    private let users: [ServiceClient]

    /// Who asked the question with this mark.
    func owner(of mark: String) -> ServiceClient? { owners.withLock { $0[mark] } }

    /// Until the time is up; what was begun is finished.
    func run(for length: Duration) async {
        let end = ContinuousClock.now + length
        await withDiscardingTaskGroup { group in
            for (number, user) in users.enumerated() {
                group.addTask {
                    var random = SeededRandom(seed: self.seed ^ UInt64(number + 1))
                    while ContinuousClock.now < end { await self.chapter(user, until: end, &random) }
                }
            }
        }
    }

    private static func register(_ count: Int, _ site: ChaosSite) async throws -> [ServiceClient] {
        let auth = ServiceClient(base: "http://127.0.0.1:\(site.nginx.authPort)")
        var users: [ServiceClient] = []
        for number in 1...count {
            let body: JSON = [
                "email": .string("client\(number)@example.org"), "password": "a password", "name": "Client",
            ]
            let reply = try await auth.post("/register", body)
            let token = try reply.json["token"].string.orThrow("token in \(reply)")
            users.append(ServiceClient(base: "http://127.0.0.1:\(site.nginx.chatPort)", token: token))
        }
        return users
    }

    /// One conversation.
    private func chapter(_ user: ServiceClient, until end: ContinuousClock.Instant, _ random: inout SeededRandom) async
    {
        guard let reply = try? await user.post("/conversations"), let id = reply.json["conversation_id"].int else {
            try? await Task.sleep(for: .milliseconds(200))
            return
        }
        for _ in 0..<25 where ContinuousClock.now < end {
            let number = nextMark.withLock { number in
                defer { number += 1 }
                return number
            }
            let client = Client(user: user, conversation: id, mark: ChaosModel.mark(number), promises: site.promises)
            owners.withLock { $0[client.mark] = user }
            await step(client, &random)
            try? await Task.sleep(for: random.duration(20...250))
        }
    }

    private func step(_ client: Client, _ random: inout SeededRandom) async {
        enum Act { case ask, twice, stream, upload, cancel, regenerate }
        let document = documents.any(&random)
        switch random.choice(of: [
            (Act.ask, weight: 38), (.twice, 7), (.stream, 15), (.upload, 30), (.cancel, 5), (.regenerate, 5),
        ])
        {
        case .ask:
            await client.ask()
            if random.happens(0.3) { await client.retryIfFailed() }
        case .twice: await client.askTwice()
        case .stream: await client.askStreaming()
        case .upload: await client.upload(document, thenCancel: false)
        case .cancel: await client.upload(document, thenCancel: true)
        case .regenerate:
            await client.ask()
            await client.regenerate()
        }
    }
}

/// Documents with the text that the service reads in them when nothing is broken.
struct Documents: Sendable {
    private static let names: [(String, weight: Int)] = [
        ("note_utf8.txt", 20), ("notes_en.md", 15), ("contract_ru.docx", 15), ("text_ru.pdf", 15),
        ("letter_en_clean.png", 20), ("contract_en_3pages.tiff", 8), ("scan_mixed_5pages.pdf", 7),
    ]

    private let texts: [String: String]

    /// A document to upload.
    struct Document: Sendable {
        let fixture: Fixture
        let text: String
    }

    static func read(by user: ServiceClient) async throws -> Documents {
        let conversation = try await user.post("/conversations").json["conversation_id"].int.orThrow("conversation")
        var texts: [String: String] = [:]
        for (number, (name, _)) in names.enumerated() {
            let question = ChaosModel.mark(900_000 + number)
            var form = MultipartForm(fields: [("conversation_id", "\(conversation)"), ("message", question)])
            form.add(file: name, bytes: try Fixture("documents/\(name)").bytes)
            let reply = try await user.post("/chat/file", form)
            let id = try reply.json["message_id"].int.orThrow("message_id in \(reply)")
            let message = try await polling(for: name, atMost: .seconds(300)) {
                let message = try await user.get("/messages/\(id)").json
                return message["status"] == "processing" ? nil : message
            }
            guard message["status"] == "completed", let content = message["content"].string else {
                throw SuiteFault(description: "\(name): \(message)")
            }
            texts[name] = String(content.dropFirst(question.count))
        }
        // What was read here is no part of the campaign.
        guard try await user.send(.DELETE, "/conversations/\(conversation)").status == 204 else {
            throw SuiteFault(description: "conversation not deleted")
        }
        return Documents(texts: texts)
    }

    func any(_ random: inout SeededRandom) -> Document {
        let name = random.choice(of: Self.names)
        return Document(fixture: Fixture("documents/\(name)"), text: texts[name] ?? "")
    }
}
