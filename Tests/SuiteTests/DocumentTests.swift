import Foundation
import TestSupport
import Testing

/// Every document with known text, through the whole suite.
@Suite("Documents", .tags(.long))
struct DocumentTests {
    @Test func everyDocumentIsReadAndAnswered() async throws {
        #expect(Fixture.documents.count == 19)
        try await withSuite(settings: ["OCR_WORKERS": "2"]) { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            var messages: [(Fixture, Int)] = []
            for fixture in Fixture.documents { messages.append((fixture, try await user.upload([fixture], to: id))) }
            for (fixture, message) in messages {
                let final = try await user.finalMessage(message, atMost: .seconds(240))
                #expect(final["status"] == "completed", "\(fixture.name): \(final)")
                let share = try Self.shareOfWords(of: fixture.trueText, in: final["content"].string ?? "")
                #expect(share >= Self.leastShare(fixture), "\(fixture.name): \(share) of its words were found")
            }
            let history = try await user.chat.get("/conversations/\(id)/messages?limit=200").json["messages"].array
            #expect(history.filter { $0["role"] == "assistant" }.count == messages.count)
            #expect(Set(history.compactMap { $0["reply_to"].int }) == Set(messages.map(\.1)))
        }
    }

    @Test func severalFilesOfOneMessageFollowTheirNames() async throws {
        try await withSuite { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            let files = [Fixture("documents/note_utf8.txt"), Fixture("documents/notes_en.md")]
            let final = try await user.finalMessage(try await user.upload(files, to: id, message: "Compare"))
            let content = try final["content"].string.orThrow("content")
            #expect(content.hasPrefix("Compare\n\n"))
            let first = try content.firstRange(of: "[note_utf8.txt]\n").orThrow("first name")
            let second = try content.firstRange(of: "[notes_en.md]\n").orThrow("second name")
            #expect(first.upperBound < second.lowerBound)
            #expect(final["files"].array.map { $0["name"] } == ["note_utf8.txt", "notes_en.md"])
        }
    }

    /// How much of the true text's words, repeated ones counted, is in the text that was read.
    static func shareOfWords(of truth: String, in text: String) -> Double {
        var counts: [Substring: Int] = [:]
        for word in words(text) { counts[word, default: 0] += 1 }
        let expected = words(truth)
        let found = expected.count { word in
            counts[word, default: 0] -= 1
            return counts[word, default: 0] >= 0
        }
        return expected.isEmpty ? 0 : Double(found) / Double(expected.count)
    }

    private static func words(_ text: String) -> [Substring] {
        text.split { !$0.isLetter && !$0.isNumber }
    }

    /// Text is exact; of pictures nine words in ten, of the noisy one seven.
    private static func leastShare(_ fixture: Fixture) -> Double {
        if fixture.name.hasPrefix("note") && !fixture.name.hasPrefix("notice") || fixture.name.hasSuffix(".docx") {
            return 1
        }
        return fixture.name.hasPrefix("invoice_ru_noise") ? 0.7 : 0.9
    }
}
