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
            try await expectUnharmed(suite, user, conversation: id)
            #expect(try await user.chat.get("/readyz").status == 200)
        }
        #expect(try launched() == [])
    }

    /// Documents that are too large to keep, or that only a program can write.
    @Test(.tags(.long)) func everyBombEndsInOrderAndLeavesTheServiceSmall() async throws {
        try await withSuite(settings: ["OCR_PAGE_SECONDS": "20", "OCR_WORKERS": "2"]) { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            for file in HostileFile.all {
                let end = try await HostileUpload(name: file.name, bytes: file.bytes).end(user, conversation: id)
                #expect(file.ends.contains(end.code), "\(file): \(end)")
            }
            try await expectUnharmed(suite, user, conversation: id)
        }
    }

    /// The seed is fixed, so that a failure is there again at the next run.
    @Test(.tags(.long)) func everyFixtureMayBeDamagedInEveryWay() async throws {
        let fixtures = Fixture.documents + Fixture.hostile
        try await withSuite(settings: ["OCR_PAGE_SECONDS": "20", "OCR_WORKERS": "2"]) { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, fixture) in fixtures.enumerated() {
                    if number >= 4 { try await group.next() }
                    group.addTask {
                        for (way, mutation) in Mutation.allCases.enumerated() {
                            let bytes = mutation.applied(to: try fixture.bytes, seed: UInt64(number * 10 + way))
                            let end = try await HostileUpload(name: fixture.name, bytes: bytes)
                                .end(user, conversation: id)
                            let isRight = end.code == "completed" || end.code == "refused"
                            #expect(
                                isRight || Self.terminalCodes.contains(end.code),
                                "\(fixture.path) \(mutation) \(number * 10 + way): \(end)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await expectUnharmed(suite, user, conversation: id)
        }
    }

    @Test func aMutationIsAFunctionOfItsSeed() throws {
        let letter = try Fixture("documents/letter_en_clean.png").bytes
        for mutation in Mutation.allCases {
            #expect(mutation.applied(to: letter, seed: 5) == mutation.applied(to: letter, seed: 5))
            #expect(mutation.applied(to: letter, seed: 5) != letter)
        }
    }

    @Test func noRequestGoesOutForAnExternalEntity() async throws {
        try await ScriptedModelServer.run(replies: [ScriptedModelServer.answer("caught")]) { trap in
            let xml = """
                <!DOCTYPE w [<!ENTITY a SYSTEM "http://127.0.0.1:\(trap.port)/a"><!ENTITY % b SYSTEM \
                "http://127.0.0.1:\(trap.port)/b"> %b;]><w:document xmlns:w="http://schemas.openxmlformats.org/\
                wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>&a;</w:t></w:r></w:p></w:body></w:document>
                """
            try await withSuite { suite in
                let user = try await suite.register()
                let id = try await user.newConversation()
                let end = try await HostileUpload(name: "entity.docx", bytes: HostileFile.word(document: xml))
                    .end(user, conversation: id)
                #expect(Self.terminalCodes.contains(end.code), "\(end)")
                #expect(trap.connectionsOpened == 0)
            }
        }
    }

    /// The first process of the suite is still the one that answers, has answered nothing with 500, and is small; the
    /// next good file is read as before.
    private func expectUnharmed(_ suite: Suite, _ user: SignedInUser, conversation: Int) async throws {
        let good = try await user.upload([Fixture("documents/letter_en_clean.png")], to: conversation)
        #expect(try await user.finalMessage(good)["status"] == "completed")
        #expect(suite.chats.allSatisfy { $0.process.isRunning })
        let metrics = try await suite.chats[0].client.get("/metrics").text
        #expect(!metrics.contains("status=\"500\""), "\(metrics)")
        let peak = try suite.chats[0].peakResidentBytes
        #expect(peak < Self.memoryMax, "\(peak >> 20) MiB")
    }

    /// Of the serving process: the text of one answer of a child, some copies of it on its way into the database, and
    /// itself. Debug binaries are larger than what is shipped.
    private static let memoryMax = 400 << 20

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
        // The services are not told of a temporary folder of the tests.
        let folders = ["/tmp", FileManager.default.temporaryDirectory.path, FileManager.default.currentDirectoryPath]
        let names = ["parley-was-launched", "parley-was-unpacked"]
        return folders.flatMap { folder in names.map { folder + "/" + $0 } }.filter(FileManager.default.fileExists)
    }
}
