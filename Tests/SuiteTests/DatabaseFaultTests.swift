import Foundation
import TestSupport
import Testing

/// PostgreSQL goes away and comes back; the services say so and recover by themselves.
@Suite("PostgreSQL restarts", .tags(.long))
struct DatabaseFaultTests {
    @Test(arguments: [false, true])
    func workGoesOnAfterARestart(immediately: Bool) async throws {
        let postgres = try await PrivatePostgres.make()
        do {
            try await withSuite(replicas: 2, databaseURL: postgres.url, settings: ["LEASE_SECONDS": "5"]) { suite in
                let user = try await suite.register()
                let id = try await user.newConversation()
                let message = try await user.upload([Fixture("documents/scan_mixed_5pages.pdf")], to: id)
                try await postgres.restart(immediately: immediately)
                for service in try [suite.auth] + suite.chats { try await service.waitUntilReady() }
                let final = try await polling(for: "the message to be final", atMost: .seconds(300)) {
                    let message = try? await user.chat.get("/messages/\(message)")
                    return message?.status == 200 && message?.json["status"] != "processing" ? message?.json : nil
                }
                #expect(final["status"] == "completed", "\(final)")
                let history = try await user.chat.get("/conversations/\(id)/messages").json["messages"].array
                #expect(history.map { $0["role"] } == ["user", "assistant"])
            }
        } catch {
            try await postgres.remove()
            throw error
        }
        try await postgres.remove()
    }

    @Test func anOutageIs503WithAWaitAndEndsByItself() async throws {
        let postgres = try await PrivatePostgres.make()
        do {
            try await withSuite(databaseURL: postgres.url) { suite in
                let user = try await suite.register()
                try await postgres.stop()
                for service in try [suite.auth, suite.chats[0]] {
                    let path = try service.process.id == suite.auth.process.id ? "/api/profile" : "/conversations"
                    let refused = try await user.at(service).get(path)
                    #expect(refused.status == 503, "\(service.process.name): \(refused)")
                    #expect(refused.code == "database_unavailable")
                    #expect(refused.headers.first(name: "Retry-After").flatMap { Int($0) } != nil)
                    #expect(try await service.client.get("/readyz").status == 503)
                    #expect(try await service.client.get("/livez").status == 200)
                }
                try await postgres.start()
                for service in try [suite.auth, suite.chats[0]] {
                    try await service.waitUntilReady(atMost: .seconds(5))
                }
                #expect(try await user.chat.get("/conversations").status == 200)
            }
        } catch {
            try await postgres.remove()
            throw error
        }
        try await postgres.remove()
    }

    /// Long enough that PostgreSQL is away before it is over.
    private static let waitSeconds = 15

    /// Both are stored, and their askers learn under which number, although nobody can say how they end.
    @Test func acceptedQuestionsAreAnsweredWithTheirIdsWhileTheirEndCannotBeAskedFor() async throws {
        let replies = [[.hang], [.hang], ScriptedModelServer.answer("All is well.")]
        let postgres = try await PrivatePostgres.make()
        do {
            try await ScriptedModelServer.run(replies: replies) { model in
                let settings = model.settings.merging(["LEASE_SECONDS": "3"]) { $1 }
                try await withSuite(databaseURL: postgres.url, settings: settings) { suite in
                    let user = try await suite.register()
                    let id = try await user.newConversation()
                    let question: JSON = ["conversation_id": .number(Double(id)), "message": "Is it?"]
                    let plain = Task { try await user.chat.post("/chat", question) }
                    var form = MultipartForm(fields: [("conversation_id", "\(id)"), ("message", "Is it?")])
                    form.add(file: "note.txt", bytes: try Fixture("documents/note_utf8.txt").bytes)
                    let awaited = Task { [form] in
                        let start = ContinuousClock.now
                        let reply = try await user.chat.post(
                            "/chat", form, headers: ["Prefer": "wait=\(Self.waitSeconds)"])
                        return (reply, start.duration(to: .now))
                    }
                    let asked = ContinuousClock.now
                    await model.waitForRequests(2)
                    try await postgres.stop()
                    #expect(ContinuousClock.now - asked < .seconds(Self.waitSeconds), "both still wait")

                    let refused = try await plain.value
                    #expect(refused.status == 503 && refused.code == "database_unavailable", "\(refused)")
                    let (accepted, time) = try await awaited.value
                    #expect(accepted.status == 202, "\(accepted)")
                    #expect(time >= .seconds(Self.waitSeconds))
                    try await postgres.start()
                    try await suite.chats[0].waitUntilReady()
                    for message in [refused.json["user_message_id"].int, accepted.json["message_id"].int] {
                        let end = try await user.finalMessage(try message.orThrow("id"))
                        #expect(end["status"] == "completed", "\(end)")
                    }
                }
            }
        } catch {
            try await postgres.remove()
            throw error
        }
        try await postgres.remove()
    }
}
