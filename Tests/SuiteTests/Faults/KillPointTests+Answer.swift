import Foundation
import TestSupport
import Testing

/// SIGKILL of a replica at each step of an answer, for a plain question and for one with a file.
@Suite("Killed at every step of an answer")
struct AnswerKillPointTests {
    private static let one = ScriptedModelServer.answer("The first answer.")
    private static let two = ScriptedModelServer.answer("The second answer.")

    /// Asks in one of two ways.
    private func ask(_ hasFile: Bool, _ site: KillSite) async throws {
        if hasFile { try await site.upload("documents/note_utf8.txt") } else { try await site.ask() }
    }

    @Test(arguments: [false, true])
    func withTheModelCalled(hasFile: Bool) async throws {
        try await ScriptedModelServer.run(replies: [[.wait] + Self.one, Self.two]) { model in
            try await KillSite.with(settings: model.settings) { site in
                let asked = Task { try await ask(hasFile, site) }
                await model.waitForRequests(1)
                try await site.victim.process.kill()
                _ = try? await asked.value
                let (survivor, _) = try await site.survive()
                try await expect("The second answer.", site, survivor)
                #expect(model.requests.count == 2, "asked once more: no provider offers less")
                model.release()
            }
        }
    }

    @Test(arguments: [(false, KillSite.Statement.undone), (true, .undone), (false, .done), (true, .done)])
    func withTheModelsAnswerOnItsWayIntoTheDatabase(hasFile: Bool, statement: KillSite.Statement) async throws {
        try await ScriptedModelServer.run(replies: [Self.one, Self.two]) { model in
            try await KillSite.with(settings: model.settings) { site in
                let stop = DatabaseStop("before insert", on: "chat.messages", when: "new.role = 'assistant'")
                try await site.kill(at: stop, statement) { try await ask(hasFile, site) }
                let (survivor, _) = try await site.survive()
                let isStored = statement == .done
                try await expect(isStored ? "The first answer." : "The second answer.", site, survivor)
                #expect(model.requests.count == (isStored ? 1 : 2))
            }
        }
    }

    @Test(arguments: [false, true])
    func withTheAnswerCommittedAndNobodyToldOfIt(hasFile: Bool) async throws {
        try await ScriptedModelServer.run(replies: [Self.one, Self.two]) { model in
            try await KillSite.with(settings: model.settings) { site in
                let stop = DatabaseStop(
                    "at commit of insert", on: "chat.messages", when: "new.role = 'assistant'")
                try await site.kill(at: stop, .done) { try await ask(hasFile, site) }
                let (survivor, _) = try await site.survive()
                try await expect("The first answer.", site, survivor)
                #expect(model.requests.count == 1)
            }
        }
    }

    private func expect(_ answer: JSON, _ site: KillSite, _ survivor: SpawnedService) async throws {
        let path = "/conversations/\(site.conversation)/messages"
        let history = try await site.user.at(survivor).get(path).json["messages"].array
        #expect(history.last?["content"] == answer)
        try await site.expectOneAnswerAndNothingLeft(at: survivor)
    }
}
