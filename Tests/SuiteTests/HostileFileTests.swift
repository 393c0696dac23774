import Foundation
import TestSupport
import Testing

/// Files that mean harm: refused or failed in order, and the next good file is read as before.
@Suite("Hostile files")
struct HostileFileTests {
    /// The row of `manifest.json` for one file.
    struct Row: Decodable {
        let file: String
        let upload_as: String
        let expected: String
        let also: [String]
    }

    static let terminalCodes: Set<String?> = [
        "unreadable_file", "encrypted_file", "too_many_pages", "too_many_pixels", "recognition_timeout",
        "recognition_crashed", "no_text_found",
    ]

    @Test func everyHostileFileEndsInAClassThatTheManifestNames() async throws {
        let rows = try JSONDecoder().decode([Row].self, from: try Fixture("hostile/manifest.json").bytes)
        #expect(rows.count == Fixture.hostile.count)
        try await withSuite(settings: ["OCR_PAGE_SECONDS": "20"]) { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            for row in rows {
                let (seen, evidence) = try await outcome(of: row, conversation: id, user: user)
                #expect(!seen.isDisjoint(with: [row.expected] + row.also), "\(row.file): \(evidence)")
            }
            let good = try await user.upload([Fixture("documents/letter_en_clean.png")], to: id)
            #expect(try await user.finalMessage(good)["status"] == "completed")
            #expect(suite.chats.allSatisfy { $0.process.isRunning })
            #expect(try await user.chat.get("/readyz").status == 200)
        }
        #expect(try launched() == [])
    }

    /// The classes of the manifest that what happened belongs to.
    private func outcome(of row: Row, conversation: Int, user: SignedInUser) async throws -> (Set<String>, String) {
        var form = MultipartForm(fields: [("conversation_id", "\(conversation)")])
        form.add(file: row.upload_as, bytes: try Fixture("hostile/\(row.file)").bytes)
        let reply = try await user.chat.post("/chat/file", form)
        switch reply.status {
        case 415, 413: return (["refused-\(reply.status)", "completed-or-failed"], "\(reply)")
        case 422: return (["refused-422-or-failed", "completed-or-failed"], "\(reply)")
        case 202:
            let message = try reply.json["message_id"].int.orThrow("message_id")
            let final = try await user.finalMessage(message)
            #expect(final["content"].string?.contains("root:") != true, "\(row.file) reads another file")
            if final["status"] == "completed" { return (["completed-or-failed"], "\(final)") }
            #expect(Self.terminalCodes.contains(final["error"]["code"].string), "\(row.file): \(final)")
            return (["completed-or-failed", "refused-422-or-failed"], "\(final)")
        default: return ([], "\(reply)")
        }
    }

    /// What a file that was executed or unpacked would have left behind.
    private func launched() throws -> [String] {
        let folders = [FileManager.default.temporaryDirectory.path, FileManager.default.currentDirectoryPath]
        let names = ["parley-was-launched", "parley-was-unpacked"]
        return folders.flatMap { folder in names.map { folder + "/" + $0 } }.filter(FileManager.default.fileExists)
    }
}
