import Foundation
import NIOCore
import Shared
import TestSupport
import Testing

/// The codes of uploads, recognition, models, limits and faults.
extension ProblemTests {
    func uploads(_ seen: SeenProblems) async throws {
        try await withSuite { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            let text = Data("Hello".utf8)
            func upload(_ files: [(String, Data)]) async throws -> Reply {
                var form = MultipartForm(fields: [("conversation_id", "\(id)")])
                for (name, bytes) in files { form.add(file: name, bytes: bytes) }
                return try await user.chat.post("/chat/file", form)
            }
            seen.expect(.noFile, try await upload([]))
            seen.expect(.tooManyFiles, try await upload((1...6).map { ("\($0).txt", text) }))
            seen.expect(.unsupportedFileType, try await upload([("a.png", Data([0x7F, 0x45, 0x4C, 0x46, 0, 1, 2]))]))
            seen.expect(.fileTooLarge, try await upload([("a.txt", Data(repeating: 0x61, count: (20 << 20) + 1))]))
            seen.expect(.unreadableFile, try await upload([("a.txt", Data())]))
            let broken = try await post(user.chat, "/chat/file", "nonsense", type: "multipart/form-data; boundary=x")
            seen.expect(.invalidForm, broken)
        }
    }

    func documents(_ seen: SeenProblems) async throws {
        try await withSuite(settings: ["OCR_PAGE_SECONDS": "1"]) { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            let rows: [(ProblemCode, Fixture)] = [
                (.encryptedFile, Fixture("hostile/pdf_encrypted.pdf")),
                (.tooManyPixels, Fixture("hostile/png_bomb_16000.png")),
                (.recognitionTimeout, Fixture("documents/letter_ru_photo.jpg")),
            ]
            for (code, fixture) in rows {
                seen.expect(code, failed: try await user.finalMessage(try await user.upload([fixture], to: id)))
            }
            let made: [(ProblemCode, String, Data)] = [
                (.noTextFound, "blank.bmp", Self.blankPicture), (.tooManyPages, "book.pdf", Self.book(pages: 101)),
            ]
            for (code, name, bytes) in made {
                var form = MultipartForm(fields: [("conversation_id", "\(id)")])
                form.add(file: name, bytes: bytes)
                let accepted = try await user.chat.post("/chat/file", form)
                let message = try accepted.json["message_id"].int.orThrow("message in \(accepted)")
                seen.expect(code, failed: try await user.finalMessage(message))
            }
        }
    }

    /// A PDF of empty pages.
    private static func book(pages: Int) -> Data {
        let kids = (0..<pages).map { "\($0 + 3) 0 R" }.joined(separator: " ")
        var objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count \(pages) /Kids [\(kids)] >>"]
        objects += Array(repeating: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>", count: pages)
        return PDFFile.made(of: objects)
    }

    /// 64 × 64 white pixels as a Windows bitmap of 24 bits.
    private static var blankPicture: Data {
        func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let pixels = [UInt8](repeating: 0xFF, count: 64 * 64 * 3)
        let size = UInt32(54 + pixels.count)
        let head = Array("BM".utf8) + little(size) + little(0) + little(54)
        let picture = little(40) + little(64) + little(64) + [1, 0, 24, 0] + little(0) + little(UInt32(pixels.count))
        return Data(head + picture + little(2835) + little(2835) + little(0) + little(0) + pixels)
    }

    func limits(_ seen: SeenProblems) async throws {
        for (code, key) in [(ProblemCode.tooManyJobs, "QUEUE_JOBS_PER_USER"), (.queueFull, "QUEUE_JOBS_MAX")] {
            let held = [.wait] + ScriptedModelServer.answer("Later.")
            try await ScriptedModelServer.run(replies: [held]) { model in
                try await withSuite(settings: model.settings.merging([key: "1"]) { $1 }) { suite in
                    let user = try await suite.register()
                    let id = try await user.newConversation()
                    let body: JSON = ["conversation_id": .number(Double(id)), "message": "Wait"]
                    let first = Task { try await user.chat.post("/chat", body, headers: ["Idempotency-Key": "k"]) }
                    await model.waitForRequests(1)
                    let second = try await user.chat.post("/chat", body, headers: ["Idempotency-Key": "k"])
                    seen.expect(.idempotencyInProgress, second)
                    seen.expect(code, try await user.chat.post("/chat", body))
                    if code == .queueFull {
                        let question = try await user.chat.get("/conversations/\(id)/messages").json["messages"][0][
                            "id"
                        ].int
                        _ = try await user.chat.post("/messages/\(try question.orThrow("question"))/cancel")
                        seen.expect(.cancelled, try await first.value)
                    }
                    model.release()
                    _ = try await first.value
                }
            }
        }
    }

    func streams(_ seen: SeenProblems) async throws {
        try await withSuite { suite in
            let user = try await suite.register()
            let path = "/conversations/\(try await user.newConversation())/events"
            // All at once: none may slip in between the look and the taking of a place.
            let streams = try await withThrowingTaskGroup(of: (status: Int, events: EventStream).self) { group in
                for _ in 0..<80 { group.addTask { try await user.chat.events(.GET, path) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(streams.count { $0.status == 200 } == 50)
            #expect(streams.count { $0.status == 429 } == 30)
            seen.expect(.tooManyStreams, try await user.chat.get(path))
            // Held to here, so that the streams stay open.
            #expect(streams.count == 80)
        }
    }

    func models(_ seen: SeenProblems) async throws {
        let rows: [(ProblemCode, [ScriptedModelServer.Step])] = [
            (.llmFailed, ScriptedModelServer.refusal(400)),
            (.llmUnavailable, ScriptedModelServer.refusal(503, headers: ["Retry-After": "1"])), (.llmTimeout, [.hang]),
        ]
        for (code, steps) in rows {
            try await ScriptedModelServer.run(replies: [steps]) { model in
                try await withSuite(settings: model.settings.merging(["LLM_FIRST_TOKEN_SECONDS": "1"]) { $1 }) {
                    suite in
                    let user = try await suite.register()
                    let id = try await user.newConversation()
                    let reply = try await user.chat.post(
                        "/chat", ["conversation_id": .number(Double(id)), "message": "Hello"])
                    seen.expect(code, reply)
                    let question = try reply.json["user_message_id"].int.orThrow("user_message_id in \(reply)")
                    seen.expect(code, failed: try await user.finalMessage(question))
                }
            }
        }
    }

    /// A part that is down, and a bug: here a table that is not there.
    func faults(_ seen: SeenProblems) async throws {
        let postgres = try await PrivatePostgres.make()
        let result: Result<Void, any Error>
        do {
            try await withSuite(databaseURL: postgres.url) { suite in
                let user = try await suite.register()
                try await postgres.execute("alter table chat.conversations rename to elsewhere")
                let bug = try await user.chat.get("/conversations")
                seen.expect(.internalError, bug)
                #expect(!bug.text.contains("conversations"), "the cause is told to the log alone")
                try await postgres.stop()
                seen.expect(.databaseUnavailable, try await user.chat.get("/conversations/1"))
                try await postgres.start()
            }
            result = .success(())
        } catch { result = .failure(error) }
        try await postgres.remove()
        try result.get()
    }
}
