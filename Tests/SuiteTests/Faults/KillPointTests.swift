import Foundation
import TestSupport
import Testing

/// SIGKILL of a replica at each step of the work on a file, seen from outside: the step is held by a client,
/// the database or the model, the replica knows nothing of it. Then another replica makes the best of it.
@Suite("Killed at every step of a file", .tags(.long))
struct KillPointTests {
    @Test func inTheBody() async throws {
        try await KillSite.with { site in
            let victim = site.victim
            let port = try victim.client.base.split(separator: ":").last.flatMap { Int($0) }.orThrow("port")
            try await RawConnection.open(port: port) { connection in
                let head = """
                    --x\r\nContent-Disposition: form-data; name="conversation_id"\r\n\r\n\(site.conversation)\r\n\
                    --x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n
                    """
                try await connection.send(
                    """
                    POST /chat/file HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(site.user.token)\r\n\
                    Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 500000\r\n\r\n\(head)
                    """)
                try await connection.send(String(repeating: "some text ", count: 30_000))
                _ = try await polling(for: "a file in the spool", atMost: .seconds(20)) {
                    site.spooledFiles.isEmpty ? nil : true
                }
                try await victim.process.kill()
                #expect(try await connection.receiveAll() == "", "nothing was promised")
            }
            #expect(!site.spooledFiles.isEmpty, "the killed replica had no chance to tidy up")
            let survivor = try await site.suite.start(.chat)
            try await site.expectNothingLeft()
            let history = try await site.user.at(survivor).get("/conversations/\(site.conversation)/messages").json
            #expect(history["messages"].array.isEmpty)
        }
    }

    @Test(arguments: [
        DatabaseStop("before insert", on: "chat.messages", when: "new.file_count > 0"),
        DatabaseStop("before insert", on: "chat.upload_chunks"),
        DatabaseStop("at commit of insert", on: "chat.upload_chunks"),
    ])
    func withTheFileWrittenAndBeforeTheCommit(_ stop: DatabaseStop) async throws {
        try await KillSite.with { site in
            try await site.kill(at: stop, .undone) {
                do {
                    try await site.upload()
                    Issue.record("a promise that nobody can keep")
                } catch {}
            }
            let survivor = try await site.suite.start(.chat)
            try await site.expectNothingLeft()
            let history = try await site.user.at(survivor).get("/conversations/\(site.conversation)/messages").json
            #expect(history["messages"].array.isEmpty)
        }
    }

    /// The client has no 202, and cannot know; what was committed is worked on once all the same.
    @Test func afterTheCommitAndBeforeThe202() async throws {
        try await KillSite.with { site in
            try await site.kill(at: DatabaseStop("at commit of insert", on: "chat.upload_chunks"), .done) {
                try await site.upload("documents/letter_en_clean.png")
            }
            let (survivor, _) = try await site.survive()
            try await site.expectOneAnswerAndNothingLeft(at: survivor)
        }
    }

    @Test func afterThe202() async throws {
        try await KillSite.with { site in
            // The claim waits, so that the 202 is all that has happened.
            try await site.kill(at: DatabaseStop("before update", on: "chat.jobs"), .undone) { try await site.upload() }
            #expect(try await site.attempt == 0)
            let (survivor, message) = try await site.survive()
            #expect(message["files"][0]["pages_done"] == 5)
            try await site.expectOneAnswerAndNothingLeft(at: survivor)
            #expect(try await survivor.metric("parley_recognized_pages") == 5)
        }
    }

    @Test func claimed() async throws {
        try await KillSite.with { site in
            let stop = DatabaseStop("before update", on: "chat.files", when: "new.pages_total is not null")
            let children = try await site.kill(at: stop, .undone) { try await site.upload() }
            #expect(try await site.attempt == 1)
            let (survivor, _) = try await site.survive()
            try await site.expectOneAnswerAndNothingLeft(at: survivor, children: children)
        }
    }

    @Test func onThePageThreeOfFive() async throws {
        try await KillSite.with { site in
            let child = try await site.uploadUpToPageThree()
            try await site.victim.process.kill()
            let (survivor, message) = try await site.survive()
            #expect(message["files"][0]["pages_done"] == 5)
            #expect(try await survivor.metric("parley_recognized_pages") == 3, "pages 1 and 2 are not read again")
            try await site.expectOneAnswerAndNothingLeft(at: survivor, children: [child])
        }
    }

    /// A page that was recognised and not stored is lost with its replica; one whose storing goes on after the
    /// replica's death is kept.
    @Test(arguments: [(KillSite.Statement.undone, 3.0), (.done, 2.0)])
    func withAPageRecognisedAndNotSaved(_ statement: KillSite.Statement, _ pagesLeft: Double) async throws {
        try await KillSite.with { site in
            let stop = DatabaseStop("before insert", on: "chat.pages", when: "new.number = 3")
            let children = try await site.kill(at: stop, statement) { try await site.upload() }
            let (survivor, message) = try await site.survive()
            #expect(message["files"][0]["pages_done"] == 5)
            #expect(try await survivor.metric("parley_recognized_pages") == pagesLeft)
            let text = try message["content"].string.orThrow("content")
            for page in 1...TextBook.pages {
                #expect(text.ranges(of: "Page \(page), line 30:").count == 1, "page \(page) is there once")
            }
            try await site.expectOneAnswerAndNothingLeft(at: survivor, children: children)
        }
    }

    @Test(arguments: [KillSite.Statement.undone, .done])
    func withAllPagesSaved(_ statement: KillSite.Statement) async throws {
        try await KillSite.with { site in
            let stop = DatabaseStop("before update", on: "chat.messages", when: "new.content <> old.content")
            let children = try await site.kill(at: stop, statement) { try await site.upload() }
            let (survivor, message) = try await site.survive()
            #expect(message["content"].string?.isEmpty == false)
            #expect(try await survivor.metric("parley_recognized_pages") == 0, "nothing is read again")
            try await site.expectOneAnswerAndNothingLeft(at: survivor, children: children)
        }
    }
}
