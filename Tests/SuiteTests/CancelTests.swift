import Foundation
import TestSupport
import Testing

/// The stop button, pressed at a replica that does not do the work: it ends where it is done, within a second.
@Suite("A cancel, or a deletion, at another replica", .tags(.alone))
struct CancelTests {
    private static let limit = Duration.seconds(1)
    /// Their median has to be fast enough: other programs share the machine.
    private static let rounds = 3

    /// With a long lease: the heartbeat would end the child, too, but only after a third of it.
    @Test func endsTheRecognizingChildWithinASecond() async throws {
        try await KillSite.with(settings: ["LEASE_SECONDS": "60"]) { site in
            try await expectWithinTheLimit { _ in try await timeToTheEndOfAChild(site) }
            let next = try await site.user.upload([Fixture("documents/note_utf8.txt")], to: site.conversation)
            #expect(try await site.user.finalMessage(next)["status"] == "completed", "the slot is free")
        }
    }

    @Test func endsTheCallOfTheModelWithinASecond() async throws {
        try await ScriptedModelServer.run(replies: [[.hang]]) { model in
            let settings = model.settings.merging(["LEASE_SECONDS": "60"]) { $1 }
            try await KillSite.with(replicas: 2, settings: settings) { site in
                try await expectWithinTheLimit { round in try await timeToTheEndOfACall(site, model, round: round) }
            }
        }
    }

    /// A conversation that is deleted takes its work with it as a cancel does.
    @Test func deletingTheConversationEndsTheCallOfTheModelWithinASecond() async throws {
        try await ScriptedModelServer.run(replies: [[.hang]]) { model in
            let settings = model.settings.merging(["LEASE_SECONDS": "60"]) { $1 }
            try await KillSite.with(replicas: 2, settings: settings) { site in
                let other = site.user.at(site.suite.chats[1])
                try await expectWithinTheLimit { round in
                    let id = try await site.user.newConversation()
                    let body: JSON = ["conversation_id": .number(Double(id)), "message": "Think"]
                    let asked = Task { try await site.user.chat.post("/chat", body) }
                    await model.waitForRequests(round)
                    let start = ContinuousClock.now
                    #expect(try await other.send(.DELETE, "/conversations/\(id)").status == 204)
                    try await waiting(for: "the end of the call", atMost: .seconds(60)) {
                        await model.waitForDisconnects(round)
                    }
                    let time = start.duration(to: .now)
                    #expect(try await asked.value.code == "conversation_not_found")
                    return time
                }
            }
        }
    }

    private func expectWithinTheLimit(_ measure: @Sendable (_ round: Int) async throws -> Duration) async throws {
        var times: [Duration] = []
        for round in 1...Self.rounds { times.append(try await measure(round)) }
        #expect(times.sorted()[Self.rounds / 2] < Self.limit, "\(times)")
    }

    private func timeToTheEndOfAChild(_ first: KillSite) async throws -> Duration {
        let site = KillSite(
            suite: first.suite, user: first.user, conversation: try await first.user.newConversation(),
            database: first.database, spool: first.spool)
        let child = try await site.uploadUpToPageThree()
        // Not earlier: it might have claimed the file.
        let other = try await site.suite.start(.chat)
        let time = try await timeToCancel(in: site.conversation, at: site.user.at(other)) {
            _ = try await polling(for: "the end of the child", atMost: .seconds(60), every: .milliseconds(5)) {
                ProcessTree.isAlive(child) ? nil : true
            }
        }
        // The bytes of a cancelled upload are kept for a retry, but not longer than the conversation.
        #expect(try await site.user.chat.send(.DELETE, "/conversations/\(site.conversation)").status == 204)
        try await site.expectNothingLeft(children: [child])
        #expect(try await other.process.terminate() == 0)
        return time
    }

    private func timeToTheEndOfACall(
        _ site: KillSite, _ model: ScriptedModelServer, round: Int
    ) async throws -> Duration {
        let id = try await site.user.newConversation()
        let body: JSON = ["conversation_id": .number(Double(id)), "message": "Think"]
        let asked = Task { try await site.user.chat.post("/chat", body) }
        await model.waitForRequests(round)
        let time = try await timeToCancel(in: id, at: site.user.at(site.suite.chats[1])) {
            await model.waitForDisconnects(round)
        }
        #expect(try await asked.value.code == "cancelled")
        return time
    }

    /// Cancels the only question of a conversation, and returns how long it took until `end` had come.
    private func timeToCancel(
        in conversation: Int, at client: ServiceClient, _ end: @escaping @Sendable () async throws -> Void
    ) async throws -> Duration {
        let history = try await client.get("/conversations/\(conversation)/messages").json["messages"]
        let message = try history[0]["id"].int.orThrow("message in \(history)")
        let start = ContinuousClock.now
        let cancelled = try await client.post("/messages/\(message)/cancel")
        try await waiting(for: "the end of the work", atMost: .seconds(60)) { try await end() }
        let time = start.duration(to: .now)
        #expect(cancelled.status == 202, "\(cancelled)")
        #expect(cancelled.json["status"] == "cancelled", "\(cancelled)")
        return time
    }
}
