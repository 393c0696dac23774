import Foundation
import Synchronization
import TestSupport
import Testing

/// What counts against a file, and what does not.
@Suite("Attempts", .tags(.long))
struct AttemptTests {
    /// SIGKILL and SIGSTOP of the real child are what a file can do to it: crash it, or hang it.
    @Test(arguments: [(SIGKILL, "recognition_crashed"), (SIGSTOP, "recognition_timeout")])
    func theThirdTimeAFileTakesItsChildWithItIsTheLast(_ signal: Int32, _ code: String) async throws {
        try await KillSite.with(settings: ["OCR_PAGE_SECONDS": "5"]) { site in
            let neighbour = try await site.suite.register("Bob")
            let hostile = try await site.user.upload(
                [Fixture("documents/scan_mixed_5pages.pdf")], to: site.conversation)
            let good = try await neighbour.upload(
                [Fixture("documents/note_utf8.txt")], to: try await neighbour.newConversation())
            for crash in 0..<3 {
                try await strike(signal, hostile, afterCrashes: crash, site)
            }
            let final = try await site.user.finalMessage(hostile)
            #expect(final["status"] == "failed")
            #expect(final["error"]["code"].string == code, "\(final)")
            #expect(final["error"]["retryable"] == false)
            #expect(try await neighbour.finalMessage(good)["status"] == "completed")
            #expect(site.victim.process.isRunning)
            try await site.expectNothingLeft()
            let next = try await site.user.upload([Fixture("documents/letter_en_clean.png")], to: site.conversation)
            #expect(try await site.user.finalMessage(next)["status"] == "completed")
        }
    }

    /// Waits until the child is asked for this message's file, and sends it the signal.
    private func strike(_ signal: Int32, _ message: Int, afterCrashes crashes: Int, _ site: KillSite) async throws {
        _ = try await polling(for: "try \(crashes + 1)", atMost: .seconds(60), every: .milliseconds(20)) {
            () -> Bool? in
            let isAtIt: Bool = try await site.database.value(
                """
                select exists (
                    select from chat.jobs j join chat.files f on f.message_id = j.question_id
                    where j.question_id = \(message) and j.lease_until > clock_timestamp()
                        and f.crashes = \(crashes))
                """)
            // A child that is stopped before its program runs would hold up the thread that starts it: no file's doing.
            guard isAtIt, let child = ProcessTree.children(of: site.victim.process.id).first(where: isRecognizer)
            else { return nil }
            Foundation.kill(child, signal)
            return true
        }
        _ = try await polling(for: "the count of crash \(crashes + 1)", atMost: .seconds(60)) { () -> Bool? in
            let counted: Int = try await site.database.value(
                "select max(crashes)::bigint from chat.files where message_id = \(message)")
            return counted > crashes ? true : nil
        }
    }

    private func isRecognizer(_ id: Int32) -> Bool {
        let words = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") ?? Data()
        return words.split(separator: 0).contains { String(decoding: $0, as: UTF8.self) == "recognize" }
    }

    @Test func anAbsentModelCostsNoAttemptAndNoPageIsReadAgain() async throws {
        let isAway = Mutex(true)
        let script: ScriptedModelServer.Script = { _, _ in
            isAway.withLock { $0 } ? ScriptedModelServer.refusal(503) : ScriptedModelServer.answer("Here again.")
        }
        try await ScriptedModelServer.run(script) { model in
            try await KillSite.with(settings: model.settings) { site in
                let message = try await site.user.upload([Fixture("documents/mixed_layers.pdf")], to: site.conversation)
                _ = try await polling(for: "two claims of the answer", atMost: .seconds(60)) {
                    try await site.attempt >= 3 ? true : nil
                }
                let counted: Int = try await site.database.value(
                    "select max(attempt - spared)::bigint from chat.jobs")
                #expect(counted <= 1, "the claim under way, if there is one")
                let pages = try await site.victim.metric("parley_recognized_pages")
                let plain = try await site.user.chat.post(
                    "/chat", ["conversation_id": .number(Double(site.conversation)), "message": "Hello"])
                #expect(plain.code == "llm_unavailable")
                #expect(plain.headers.first(name: "Retry-After").flatMap { Int($0) } != nil)
                let question = try plain.json["user_message_id"].int.orThrow("user_message_id")
                let failed = try await site.user.finalMessage(question)
                #expect(failed["error"]["code"] == "llm_unavailable" && failed["error"]["retryable"] == true)

                isAway.withLock { $0 = false }
                let final = try await site.user.finalMessage(message)
                #expect(final["status"] == "completed", "\(final)")
                #expect(try await site.victim.metric("parley_recognized_pages") == pages)
                #expect(try await site.user.chat.post("/messages/\(question)/retry").status == 202)
                #expect(try await site.user.finalMessage(question)["status"] == "completed")
                #expect(try await site.victim.metric("llm_breaker") == 1)
                try await site.expectNothingLeft()
            }
        }
    }

    @Test func patienceWithAnAbsentModelEndsAfterADayAndTheTextIsKept() async throws {
        try await ScriptedModelServer.run(replies: [ScriptedModelServer.refusal(503)]) { model in
            try await KillSite.with(settings: model.settings) { site in
                let message = try await site.user.upload([Fixture("documents/note_utf8.txt")], to: site.conversation)
                await model.waitForRequests(1)
                try await site.database.query(
                    "update chat.jobs set created_at = created_at - interval '24 hours' where question_id = \(message)")
                let final = try await site.user.finalMessage(message)
                #expect(final["error"]["code"] == "llm_unavailable")
                #expect(final["error"]["retryable"] == true)
                let truth = try Fixture("documents/note_utf8.txt").trueText
                #expect(DocumentTests.shareOfWords(of: truth, in: final["content"].string ?? "") == 1)
                // "carrier", a word of the text.
                let path = "/search?q=%D0%BF%D0%B5%D1%80%D0%B5%D0%B2%D0%BE%D0%B7%D1%87%D0%B8%D0%BA%D0%B0"
                _ = try await polling(for: "the text to be found", atMost: .seconds(60)) {
                    try await site.user.chat.get(path).json["hits"].array.first?["message_id"].int == message
                        ? true : nil
                }
                try await site.expectNothingLeft()
            }
        }
    }
}
