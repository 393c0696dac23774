import Foundation
import TestSupport
import Testing

/// A page that cannot be read costs the file that page and nothing else, and nobody is left to guess which.
@Suite("Damaged pages", .tags(.long))
struct DamagedPageTests {
    private static let answer = ScriptedModelServer.answer("Read as far as it goes.")

    private func upload(
        _ files: [(String, Data)], to conversation: Int, as user: SignedInUser
    ) async throws -> Int {
        var form = MultipartForm(fields: [("conversation_id", "\(conversation)")])
        for (name, bytes) in files { form.add(file: name, bytes: bytes) }
        let reply = try await user.chat.post("/chat/file", form)
        return try reply.json["message_id"].int.orThrow("message in \(reply)")
    }

    @Test(arguments: [try DamagedDocument.tiff(), try DamagedDocument.pdf()])
    func aPageThatFailsIsNamedWhereItWasAndTheOthersAreReadAndAnswered(_ document: DamagedDocument) async throws {
        try await ScriptedModelServer.run(replies: [Self.answer]) { model in
            try await withSuite(settings: model.settings) { suite in
                let user = try await suite.register()
                let id = try await user.newConversation()
                let message = try await upload([(document.fixture.name, document.bytes)], to: id, as: user)
                let final = try await user.finalMessage(message)
                #expect(final["status"] == "completed" && final["error"].isNull, "\(final)")
                let truths = try document.trueTexts
                let file = final["files"][0]
                #expect(file["partial"] == true, "\(file)")
                #expect(file["pages_done"].int == truths.count && file["pages_total"].int == truths.count)

                let line = "[page \(document.page) could not be read]"
                let parts = try final["content"].string.orThrow("content").components(separatedBy: "\n\n\(line)\n\n")
                try #require(parts.count == 2, "the line stands alone, once: \(final["content"])")
                let (before, after) = (truths[..<(document.page - 1)], truths[document.page...])
                for (part, pages) in zip(parts, [before, after]) {
                    #expect(DocumentTests.shareOfWords(of: pages.joined(separator: "\n"), in: part) > 0.9, "\(part)")
                }
                let history = try await user.chat.get("/conversations/\(id)/messages").json["messages"].array
                #expect(history.map { $0["role"] } == ["user", "assistant"])
                #expect(history.last?["reply_to"].int == message)
                #expect(history.last?["content"] == "Read as far as it goes.")
                #expect(model.requests.count == 1 && model.requests[0].body.contains(line), "the model is told, too")
            }
        }
    }

    @Test func onlyTheFileWithTheDamagedPageIsPartial() async throws {
        try await withSuite { suite in
            let user = try await suite.register()
            let note = Fixture("documents/note_utf8.txt")
            let files = [(note.name, try note.bytes), ("damaged.tiff", try DamagedDocument.tiff().bytes)]
            let message = try await upload(files, to: try await user.newConversation(), as: user)
            let final = try await user.finalMessage(message)
            #expect(final["status"] == "completed", "\(final)")
            #expect(final["files"].array.map { $0["partial"] } == [false, true])
            let parts = try final["content"].string.orThrow("content").components(separatedBy: "[damaged.tiff]\n")
            #expect(parts.count == 2 && parts[0].hasPrefix("[note_utf8.txt]\n"))
            #expect(!parts[0].contains("could not be read"))
            #expect(parts[1].contains("\n\n[page 2 could not be read]\n\n"))
        }
    }

    @Test func aFileOfWhichNoPageCanBeReadFails() async throws {
        try await withSuite { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            for (name, bytes) in [
                ("noise.pdf", try DamagedDocument.pdfOfNoise()), ("one.pdf", TextBook.made(of: [.brokenPicture])),
            ] {
                let final = try await user.finalMessage(try await upload([(name, bytes)], to: id, as: user))
                #expect(final["status"] == "failed", "\(name): \(final)")
                #expect(final["error"]["code"] == "unreadable_file", "\(name): \(final)")
            }
            let history = try await user.chat.get("/conversations/\(id)/messages").json["messages"].array
            #expect(history.allSatisfy { $0["role"] == "user" }, "nothing was answered")
        }
    }

    /// The checkpoint of a page that could not be read is as good as that of any other.
    @Test func afterAKillTheMissingPageIsNotTriedAgain() async throws {
        try await KillSite.with { site in
            let book = TextBook.made(of: [.text, .text, .brokenPicture, .text, .text])
            let stop = DatabaseStop("before insert", on: "chat.pages", when: "new.number = 4")
            let children = try await site.kill(at: stop, .undone) {
                _ = try await upload([("book.pdf", book)], to: site.conversation, as: site.user)
            }
            let (survivor, message) = try await site.survive()
            #expect(try await survivor.metric("parley_recognized_pages") == 2, "the fourth and the fifth")
            #expect(message["files"][0]["partial"] == true)
            #expect(message["files"][0]["pages_done"] == 5)
            let text = try message["content"].string.orThrow("content")
            #expect(text.ranges(of: "\n\n[page 3 could not be read]\n\n").count == 1, "\(text)")
            for page in [1, 2, 4, 5] { #expect(text.ranges(of: "Page \(page), line 30:").count == 1) }
            try await site.expectOneAnswerAndNothingLeft(at: survivor, children: children)
        }
    }
}
