import Foundation
import Shared
import TestSupport
import Testing

/// SIGTERM is an orderly end: what people wait for is finished, everything else goes on elsewhere at once.
@Suite("A replica that is asked to stop")
struct DrainTests {
    @Test(.tags(.alone)) func handsItsWorkBackAtOnceAndFinishesWhatPeopleWaitFor() async throws {
        let replies = [[.wait] + ScriptedModelServer.answer("Waited for."), ScriptedModelServer.answer("Read.")]
        try await ScriptedModelServer.run(replies: replies) { model in
            try await KillSite.with(settings: model.settings) { site in
                let child = try await site.uploadUpToPageThree()
                let body: JSON = ["conversation_id": .number(Double(site.conversation)), "message": "Wait"]
                let asked = Task { try await site.user.chat.post("/chat", body) }
                await model.waitForRequests(1)
                let survivor = try await site.suite.start(.chat)

                site.victim.process.signal(SIGTERM)
                let told = ContinuousClock.now
                let tries = try await triesAfterTheSecondClaim(site)
                #expect(told.duration(to: .now) < .seconds(2))
                #expect(tries == 1, "no attempt was used up")
                #expect(site.victim.process.isRunning, "somebody still waits for an answer")
                model.release()
                #expect(try await asked.value.json["response"] == "Waited for.")
                #expect(try await site.victim.process.waitForExit(atMost: .seconds(20)) == 0)

                let file = try await site.database.value(
                    "select min(id) from chat.messages where file_count > 0", Int.self)
                let message = try await site.user.finalMessage(file, at: site.user.at(survivor))
                #expect(message["status"] == "completed")
                #expect(try await survivor.metric("parley_recognized_pages") == 3)
                try await site.expectNothingLeft(children: [child])
            }
        }
    }

    /// Waits until another replica has claimed the file, and returns how many claims count.
    private func triesAfterTheSecondClaim(_ site: KillSite) async throws -> Int {
        try await polling(for: "the restart elsewhere", atMost: .seconds(30), every: .milliseconds(20)) {
            let tries: Int = try await site.database.value(
                """
                select coalesce(max(attempt - spared), -1)::bigint from chat.jobs
                where stage = 'recognize' and lease_until is not null and attempt > 1
                """)
            return tries < 0 ? nil : tries
        }
    }

    /// One table each, as a migration under load has to be: a transaction that waits for the locks of a second table
    /// while it holds those of the first can meet a question that has them the other way round.
    private static var migrationsOfANewerVersion: [Migration] {
        let changes = ["messages", "jobs", "files", "conversations"].map {
            "alter table chat.\($0) add column newer text default 'something'"
        }
        let first = (Migration.embedded.map(\.number).max() ?? 0) + 1
        return (changes + ["create index newer on chat.messages (newer)"]).enumerated().map { index, sql in
            Migration(number: first + index, name: "of_a_newer_version", sql: sql)
        }
    }

    /// A newer version migrates the database under load; the older ones go on, and may even be started again.
    @Test func isNotNeededForAMigrationThatAnOlderVersionCanLiveWith() async throws {
        try await KillSite.with(replicas: 2) { site in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, replica) in site.suite.chats.enumerated() {
                    group.addTask {
                        let body: JSON = ["conversation_id": .number(Double(site.conversation)), "message": "Go on"]
                        for number in 0..<30 {
                            let reply = try await site.user.at(replica).post("/chat", body)
                            #expect(reply.status == 200, "replica \(index), question \(number): \(reply)")
                        }
                    }
                }
                // What a replica of the newer version does at its start.
                group.addTask {
                    let newer = Migration.embedded + Self.migrationsOfANewerVersion
                    try await Migrator(migrations: newer).migrate(site.database, logger: .quiet)
                }
                try await group.waitForAll()
            }
            let old = try await site.suite.start(.chat)
            #expect(old.process.log.text.contains("the database is ahead of this program"))
            let file = try await site.user.upload([Fixture("documents/note_utf8.txt")], to: site.conversation)
            #expect(try await site.user.finalMessage(file, at: site.user.at(old))["status"] == "completed")
            #expect(try await site.user.at(old).get("/readyz").status == 200)
            try await site.expectNothingLeft()
        }
    }
}
