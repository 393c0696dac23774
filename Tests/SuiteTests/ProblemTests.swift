import Foundation
import NIOCore
import Shared
import TestSupport
import Testing

/// Every code of the catalogue is produced once by the real processes, in the form of the contract.
@Suite("Problem codes")
struct ProblemTests {
    /// Codes that no call from outside produces on demand, and where they are tested.
    static let testedElsewhere: [ProblemCode: String] = [
        .storageFull: "needs a full disk: tests of the upload spool",
        .recognitionCrashed: "needs a picture that crashes Tesseract: tests of the recognizer",
        .requestTimeout: "takes fifteen seconds of silence: tests of the frame's connections",
        .draining: "the last requests of a process that is cancelled: tests of the frame",
        .overloaded: "bounds that a test would need thousands of requests to reach: tests of the password hasher",
    ]

    @Test func everyCodeOfTheCatalogueIsProducedOnce() async throws {
        let seen = SeenProblems()
        try await frame(seen)
        try await accounts(seen)
        try await secondFactor(seen)
        try await mails(seen)
        try await conversations(seen)
        try await uploads(seen)
        try await documents(seen)
        try await limits(seen)
        try await streams(seen)
        try await models(seen)
        try await faults(seen)
        let expected = Set(ProblemCode.allCases.map(\.rawValue)).subtracting(Self.testedElsewhere.keys.map(\.rawValue))
        #expect(expected.subtracting(seen.codes).sorted() == [])
    }

    /// nginx cannot ask the catalogue; what it says must be in it, but for the two that only a proxy can say.
    @Test func nginxUsesTheCodesOfTheCatalogue() throws {
        let file = ProjectFolder.root.appending(path: "deploy/nginx/problems.conf")
        let problems = try String(contentsOf: file, encoding: .utf8).matches(of: #/return (\d+) '(\{.*\})'/#)
        #expect(problems.count == 6)
        for problem in problems {
            let body = try JSON(parsing: Data(problem.2.utf8))
            let code = body["code"].string ?? ""
            #expect(body["status"].int == Int(problem.1))
            #expect(body["type"].string == "urn:parley:problem:" + code)
            if ["service_unavailable", "gateway_timeout"].contains(code) { continue }
            let known = try ProblemCode(rawValue: code).orThrow("\(code) in the catalogue")
            #expect(known.status == Int(problem.1))
            #expect(known.title == body["title"].string)
            #expect(known.detail == body["detail"].string)
        }
    }

    /// What both services refuse before a route sees it.
    private func frame(_ seen: SeenProblems) async throws {
        try await withSuite { suite in
            let (auth, chat) = (try suite.auth.client, suite.chats[0].client)
            seen.expect(.notFound, try await chat.get("/nowhere"))
            seen.expect(.methodNotAllowed, try await auth.get("/login"))
            seen.expect(.missingToken, try await chat.get("/conversations"))
            seen.expect(.invalidToken, try await chat.with(token: "nonsense").get("/conversations"))
            seen.expect(.invalidJSON, try await post(auth, "/login", "{", type: "application/json"))
            seen.expect(.invalidJSON, try await post(auth, "/login", #"{"a":1,"a":2}"#, type: "application/json"))
            seen.expect(.unsupportedMediaType, try await post(auth, "/login", "<a/>", type: "text/xml"))
            let encoded = try await auth.post("/login", [:], headers: ["Content-Encoding": "gzip"])
            seen.expect(.contentEncodingNotSupported, encoded)
            seen.expect(.invalidBody, try await auth.post("/login", ["email": 1]))
            let expecting = try await auth.post("/login", [:], headers: ["Expect": "the-unexpected"])
            seen.expect(.expectationFailed, expecting)
            let large = ByteBuffer(repeating: UInt8(ascii: " "), count: 2 << 20)
            let tooLarge = try await auth.send(
                .POST, "/login", headers: ["Content-Type": "application/json"], body: large)
            seen.expect(.payloadTooLarge, tooLarge)
            let long = try await chat.get("/health", headers: ["X-Long": String(repeating: "x", count: 20_000)])
            seen.expect(.headerTooLarge, long)
            seen.expect(.invalidRequest, try await malformed(chat))
        }
    }

    private func accounts(_ seen: SeenProblems) async throws {
        try await withSuite(settings: ["REGISTRATIONS_PER_HOUR": "2"]) { suite in
            let auth = try suite.auth.client
            let user = try await suite.register()
            let mine = auth.with(token: user.token)
            func register(_ email: String, _ password: String = SignedInUser.password, name: String = "A") async throws
                -> Reply
            {
                try await auth.post(
                    "/register", ["email": .string(email), "password": .string(password), "name": .string(name)])
            }
            seen.expect(.emailTaken, try await register(user.email))
            seen.expect(.invalidEmail, try await register("nobody"))
            seen.expect(.weakPassword, try await register("b@example.org", "short"))
            seen.expect(.invalidName, try await register("b@example.org", name: "\u{7}"))
            _ = try await register("c@example.org")
            seen.expect(.tooManyRegistrations, try await register("d@example.org"))
            let old = SignedInUser.password
            func change(_ old: String, _ new: String) async throws -> Reply {
                try await mine.post(
                    "/api/change-password", ["old_password": .string(old), "new_password": .string(new)])
            }
            seen.expect(.invalidOldPassword, try await change("not this one", "another password"))
            seen.expect(.samePassword, try await change(old, old))
            seen.expect(.invalidRefreshToken, try await auth.post("/refresh", ["refresh_token": "nonsense"]))
            seen.expect(.sessionNotFound, try await mine.send(.DELETE, "/api/sessions/987654321"))
            seen.expect(
                .invalidPassword, try await mine.send(.DELETE, "/api/account", json: ["password": "not this one"]))
            let guess: JSON = ["email": "e@example.org", "password": "not this one"]
            seen.expect(.invalidCredentials, try await auth.post("/login", guess))
            var last = try await auth.post("/login", guess)
            for _ in 0..<8 where last.status != 429 { last = try await auth.post("/login", guess) }
            seen.expect(.tooManyAttempts, last)
        }
    }

    private func conversations(_ seen: SeenProblems) async throws {
        try await withSuite { suite in
            let user = try await suite.register()
            let (chat, id) = (user.chat, try await user.newConversation())
            func ask(_ message: String, domain: JSON = .null) async throws -> Reply {
                try await chat.post(
                    "/chat", ["conversation_id": .number(Double(id)), "message": .string(message), "domain": domain])
            }
            seen.expect(.invalidQuery, try await chat.get("/conversations?limit=ten"))
            seen.expect(.outOfRange, try await chat.get("/conversations?limit=0"))
            seen.expect(.invalidID, try await chat.get("/conversations/one"))
            seen.expect(.invalidCursor, try await chat.get("/conversations/\(id)/messages?cursor=nonsense"))
            seen.expect(.conversationNotFound, try await chat.get("/conversations/987654321"))
            let stranger = try await suite.register("Bob")
            seen.expect(.conversationNotFound, try await stranger.chat.get("/conversations/\(id)"))
            seen.expect(.messageNotFound, try await chat.get("/messages/987654321"))
            let title: JSON = .string(String(repeating: "x", count: 101))
            seen.expect(.invalidTitle, try await chat.post("/conversations", ["title": title]))
            let context: JSON = .string(String(repeating: "x", count: 200_000))
            seen.expect(.invalidBusinessContext, try await chat.post("/conversations", ["business_context": context]))
            seen.expect(.emptyMessage, try await ask(" "))
            seen.expect(.emptySearch, try await chat.get("/search?q=+"))
            seen.expect(.messageTooLong, try await ask(String(repeating: "я", count: 10_001)))
            seen.expect(.unknownDomain, try await ask("Hello", domain: "astrology"))
            func named(_ title: String, key: String) async throws -> Reply {
                try await chat.post("/conversations", ["title": .string(title)], headers: ["Idempotency-Key": key])
            }
            seen.expect(.invalidIdempotencyKey, try await named("One", key: "a key"))
            #expect(try await named("One", key: "key").status == 201)
            seen.expect(.idempotencyKeyReused, try await named("Two", key: "key"))
            let answer = try await ask("Hello").json
            let (question, reply) = (
                try answer["user_message_id"].int.orThrow("id"), try answer["message_id"].int.orThrow("id")
            )
            seen.expect(.alreadyFinal, try await chat.post("/messages/\(question)/cancel"))
            seen.expect(.notRetryable, try await chat.post("/messages/\(question)/retry"))
            seen.expect(.notRegenerable, try await chat.post("/messages/\(question)/regenerate"))
            #expect(try await chat.post("/messages/\(reply)/regenerate").status == 202)
        }
    }

    func post(_ client: ServiceClient, _ path: String, _ body: String, type: String) async throws -> Reply {
        try await client.send(.POST, path, headers: ["Content-Type": type], body: ByteBuffer(string: body))
    }

    /// What a service answers to bytes that are no HTTP.
    private func malformed(_ client: ServiceClient) async throws -> Reply {
        let port = try client.base.split(separator: ":").last.flatMap { Int($0) }.orThrow("port")
        return try await RawConnection.open(port: port) { connection in
            try await connection.send("GET /health HTTP/1.1\r\nHost: a\r\nNo colon here\r\n\r\n")
            let parts = try await connection.receiveAll().components(separatedBy: "\r\n\r\n")
            let lines = parts[0].components(separatedBy: "\r\n")
            let fields = lines.dropFirst().map { $0.split(separator: ":", maxSplits: 1).map(String.init) }
            let headers = fields.filter { $0.count == 2 }.map { ($0[0], $0[1].trimmingCharacters(in: .whitespaces)) }
            let status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            return Reply(status: status, headers: .init(headers), body: Data((parts.last ?? "").utf8))
        }
    }
}
