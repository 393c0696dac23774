import Foundation
import TestSupport
import Testing

/// `DELETE /api/account` is asked of AuthService, and ends what ChatService does for that user.
@Suite("An account that is deleted while its work runs")
struct AccountDeletionTests {
    @Test func takesItsRowsItsFilesItsChildAndItsCallWithItAndNothingOfOthers() async throws {
        let replies = [ScriptedModelServer.answer("For Bob."), [.streamHead, .delta("For Ann"), .hang]]
        try await ScriptedModelServer.run(replies: replies) { model in
            // The heartbeat, after a third of the lease, would end the work, too.
            let settings = model.settings.merging(["LEASE_SECONDS": "600"]) { $1 }
            try await KillSite.with(settings: settings) { site in
                let other = try await site.suite.register("Bob")
                let theirs = try await other.newConversation()
                #expect(try await ask(other, in: theirs).status == 200)

                let child = try await site.uploadUpToPageThree()
                let asked = Task { try await ask(site.user, in: site.conversation) }
                await model.waitForRequests(2)
                _ = try await polling(for: "a piece of the answer", atMost: .seconds(60)) {
                    try await site.database.value("select count(*) from chat.deltas", Int.self) > 0 ? true : nil
                }
                let password: JSON = ["password": .string(SignedInUser.password)]
                let auth = try site.suite.auth
                let deleted = try await auth.client.with(token: site.user.token)
                    .send(.DELETE, "/api/account", json: password)
                #expect(deleted.status == 204, "\(deleted)")

                try await waiting(for: "the end of the call", atMost: .seconds(60)) {
                    await model.waitForDisconnects(1)
                }
                #expect(try await asked.value.code == "conversation_not_found")
                try await site.expectNothingLeft(children: [child])
                #expect(try await rows(of: site) == ["files": 0, "messages": 2, "conversations": 1])
                let history = try await other.chat.get("/conversations/\(theirs)/messages").json["messages"].array
                #expect(history.map { $0["content"] } == ["Think", "For Bob."])
                for service in [auth, site.victim] {
                    let log = service.process.log.text
                    #expect(!log.contains("status=500"), "\(log.suffix(3000))")
                }
                #expect(try await site.victim.metric("llm_calls_in_flight") == 0)
            }
        }
    }

    private func ask(_ user: SignedInUser, in conversation: Int) async throws -> Reply {
        try await user.chat.post("/chat", ["conversation_id": .number(Double(conversation)), "message": "Think"])
    }

    /// The rows that `expectNothingLeft` does not count: there are some of the other user's.
    private func rows(of site: KillSite) async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for table in ["files", "messages", "conversations"] {
            counts[table] = try await site.database.value("select count(*) from chat.\(unsafeRaw: table)", Int.self)
        }
        return counts
    }
}
