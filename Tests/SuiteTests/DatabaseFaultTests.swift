import Foundation
import TestSupport
import Testing

/// PostgreSQL goes away and comes back; the services say so and recover by themselves.
@Suite("PostgreSQL restarts")
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
                let final = try await polling(for: "the message to be final", atMost: .seconds(90)) {
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
}
