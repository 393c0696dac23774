import Foundation
import TestSupport
import Testing

/// A holder that cannot renew its lease has stopped its work before others may start it.
@Suite("A holder that cannot renew", .tags(.alone))
struct WatchdogTests {
    private static let lease = Duration.seconds(KillSite.leaseSeconds)

    /// PostgreSQL is stopped as a whole: statements hang, connections stay. Neither the model's call nor the child may
    /// outlive the lease, which the last heartbeat before the stop has renewed at the latest.
    @Test func stopsItsChildAndItsCallWhileTheDatabaseHangs() async throws {
        let postgres = try await PrivatePostgres.make()
        let result: Result<Void, any Error>
        do {
            let replies = [[.hang], ScriptedModelServer.answer("In time.")]
            try await ScriptedModelServer.run(replies: replies) { model in
                try await KillSite.with(databaseURL: postgres.url, settings: model.settings) { site in
                    let child = try await site.uploadUpToPageThree()
                    let asked = Task { try await site.ask() }
                    await model.waitForRequests(1)

                    let start = ContinuousClock.now
                    try postgres.signal(SIGSTOP)
                    defer { try? postgres.signal(SIGCONT) }
                    async let call = ended(since: start) { await model.waitForDisconnects(1) }
                    async let work = ended(since: start) {
                        _ = try await polling(for: "the end of the child", atMost: .seconds(60)) {
                            ProcessTree.isAlive(child) ? nil : true
                        }
                    }
                    let (callTime, workTime) = try await (call, work)
                    try postgres.signal(SIGCONT)
                    #expect(callTime < Self.lease && workTime < Self.lease, "\(callTime), \(workTime)")

                    _ = try? await asked.value
                    try await site.expectAnswers(["In time.", "In time."])
                    try await site.expectNothingLeft(children: [child])
                }
            }
            result = .success(())
        } catch { result = .failure(error) }
        try postgres.signal(SIGCONT)
        try await postgres.remove()
        try result.get()
    }

    private func ended(
        since start: ContinuousClock.Instant, _ what: @escaping @Sendable () async throws -> Void
    ) async throws -> Duration {
        try await waiting(for: "the end of the work", atMost: .seconds(60)) { try await what() }
        return start.duration(to: .now)
    }

    /// A replica that is stopped with SIGSTOP cannot stop its child; but the first thing it does when it goes on is to
    /// see that its lease is over.
    @Test func seesFirstOfAllThatItsLeaseIsOverWhenItWakesUp() async throws {
        try await KillSite.with { site in
            let child = try await site.uploadUpToPageThree()
            let survivor = try await site.suite.start(.chat)
            site.victim.process.signal(SIGSTOP)
            let asleep = ContinuousClock.now
            _ = try await polling(for: "the takeover", atMost: .seconds(60)) {
                try await site.attempt == 1 ? nil : true
            }
            #expect(asleep.duration(to: .now) < Self.lease + .seconds(5), "taken over within lease + 5 s")
            let id = try await site.database.value("select min(id) from chat.messages", Int.self)
            let message = try await site.user.finalMessage(id, at: site.user.at(survivor))
            #expect(message["status"] == "completed")
            #expect(ProcessTree.isAlive(child), "its own holder was asleep")

            site.victim.process.signal(SIGCONT)
            _ = try await polling(for: "the end of the child", atMost: .seconds(5)) {
                ProcessTree.isAlive(child) ? nil : true
            }
            #expect(site.victim.process.log.text.contains("leases ran out"))
            // Awake again, and as good as any.
            let next = try await site.user.upload([Fixture("documents/note_utf8.txt")], to: site.conversation)
            #expect(try await site.user.finalMessage(next)["status"] == "completed")
            let pages = try await [site.victim, survivor].asyncMap { try await $0.metric("parley_recognized_pages") }
            #expect(pages.reduce(0, +) == 6, "five and the note, none of them twice")
            try await site.expectNothingLeft(children: [child])
        }
    }

    @Test func isReplacedWithinTheLeaseAndFiveSecondsWhenItIsKilled() async throws {
        try await KillSite.with { site in
            let child = try await site.uploadUpToPageThree()
            let survivor = try await site.suite.start(.chat)
            try await site.victim.process.kill()
            let killed = ContinuousClock.now
            _ = try await polling(for: "the takeover", atMost: .seconds(60)) {
                try await site.attempt == 1 ? nil : true
            }
            #expect(killed.duration(to: .now) < Self.lease + .seconds(5))
            let id = try await site.database.value("select min(id) from chat.messages", Int.self)
            _ = try await site.user.finalMessage(id, at: site.user.at(survivor))
            // The janitor of whoever starts next, or the survivor's own within ten minutes, finds the dead one's file.
            _ = try await site.suite.start(.chat)
            try await site.expectOneAnswerAndNothingLeft(at: survivor, children: [child])
        }
    }
}
