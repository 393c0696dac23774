import Foundation
import TestSupport
import Testing

@testable import Chaos

/// The way between a replica and PostgreSQL ends in the middle of a COMMIT, or swallows everything.
@Suite("The way to the database")
struct ConnectionCutTests {
    /// A site whose processes reach the database through a proxy; the test itself does not.
    private func withProxy(
        _ replies: [[ScriptedModelServer.Step]] = [ScriptedModelServer.answer("The first answer.")],
        _ body: @escaping @Sendable (KillSite, DatabaseProxy, ScriptedModelServer) async throws -> Void
    ) async throws {
        try await withProxiedDatabase { url, through, proxy in
            try await ScriptedModelServer.run(replies: replies) { model in
                let settings = model.settings.merging(through) { $1 }
                try await KillSite.with(databaseURL: url, settings: settings) { site in
                    try await body(site, proxy, model)
                }
            }
        }
    }

    private static let uploadCommit = DatabaseStop("at commit of insert", on: "chat.upload_chunks")

    /// Nobody can tell the client whether it was stored; it was, and is worked on once.
    @Test func anUploadWhoseCommitWasCarriedOutUnheardIsWorkedOnOnce() async throws {
        try await withProxy { site, proxy, _ in
            let uploading = try await Self.uploadCommit.hold(site.database) {
                let uploading = Task { try await site.upload("documents/note_utf8.txt") }
                try await DatabaseStop.reached(site.database)
                proxy.hold()
                return uploading
            }
            _ = try await polling(for: "the commit", atMost: .seconds(20)) {
                try await site.database.value("select count(*) from chat.jobs", Int.self) == 1 ? true : nil
            }
            proxy.cut()
            proxy.resume()
            await #expect(throws: SuiteFault.self, "no 202 for what nobody knows of") { try await uploading.value }
            try await site.expectAnswers(["The first answer."])
            try await site.expectNothingLeft()
        }
    }

    @Test func anUploadWhoseCommitNeverCameIsNotThere() async throws {
        try await withProxy { site, proxy, model in
            let uploading = try await Self.uploadCommit.hold(site.database) {
                let uploading = Task { try await site.upload("documents/note_utf8.txt") }
                try await DatabaseStop.reached(site.database)
                proxy.cut()
                try await DatabaseStop.abort(site.database)
                return uploading
            }
            await #expect(throws: SuiteFault.self) { try await uploading.value }
            #expect(try await site.database.value("select count(*) from chat.messages", Int.self) == 0)
            try await site.expectNothingLeft()
            // The same client, the same file, a moment later.
            try await site.upload("documents/note_utf8.txt")
            try await site.expectAnswers(["The first answer."])
            #expect(model.requests.count == 1)
        }
    }

    @Test func anAnswerWhoseCommitWasCarriedOutUnheardIsFoundAndGiven() async throws {
        let replies = [ScriptedModelServer.answer("The first answer."), ScriptedModelServer.answer("Another.")]
        try await withProxy(replies) { site, proxy, model in
            let stop = DatabaseStop("at commit of insert", on: "chat.messages", when: "new.role = 'assistant'")
            let body: JSON = ["conversation_id": .number(Double(site.conversation)), "message": "Think"]
            let asking = try await stop.hold(site.database) {
                let asking = Task { try await site.user.chat.post("/chat", body) }
                try await DatabaseStop.reached(site.database)
                proxy.hold()
                return asking
            }
            _ = try await polling(for: "the commit", atMost: .seconds(20)) {
                try await site.database.value("select count(*) from chat.jobs", Int.self) == 0 ? true : nil
            }
            proxy.cut()
            proxy.resume()
            let reply = try await asking.value
            #expect(reply.status == 200, "\(reply)")
            #expect(reply.json["response"] == "The first answer.")
            #expect(model.requests.count == 1)
            try await site.expectAnswers(["The first answer."])
            try await site.expectNothingLeft()
        }
    }

    /// Everything that a replica sends is swallowed. Whoever sees the second claim sees no child of the first holder.
    @Test(.tags(.alone)) func aReplicaInABlackHoleHasStoppedItsChildBeforeAnotherBegins() async throws {
        try await withProxy { site, proxy, _ in
            let child = try await site.uploadUpToPageThree()
            let direct = try await site.suite.start(.chat, ["DATABASE_URL": site.suite.databaseURL])
            proxy.hold()
            _ = try await polling(for: "the takeover", atMost: .seconds(60), every: .milliseconds(10)) {
                // In this order: a claim seen first, then a child, would be a child beside a claim.
                let attempt = try await site.attempt
                guard attempt != 1 else { return nil as Bool? }
                #expect(!ProcessTree.isAlive(child), "two replicas work on one file")
                return true
            }
            let id = try await site.database.value("select min(id) from chat.messages", Int.self)
            let final = try await site.user.finalMessage(id, at: site.user.at(direct))
            #expect(final["status"] == "completed")
            proxy.resume()
            _ = try await polling(for: "the replica to be ready again", atMost: .seconds(60)) {
                try? await site.victim.client.get("/readyz").status == 200 ? true : nil
            }
            try await site.expectAnswers(["The first answer."])
            try await site.expectNothingLeft(children: [child])
        }
    }
}
