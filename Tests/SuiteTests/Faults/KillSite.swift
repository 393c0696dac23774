import Foundation
import Shared
import TestSupport
import Testing

/// A replica that is going to be killed, the test's own view of the database, and the spool that all replicas share.
struct KillSite: Sendable {
    static let leaseSeconds = 6

    let suite: Suite
    let user: SignedInUser
    let conversation: Int
    let database: PostgresDatabase
    let spool: URL

    /// The replica that is killed.
    var victim: SpawnedService { suite.chats[0] }

    static func with(
        replicas: Int = 1, databaseURL: String? = nil, settings: [String: String] = [:],
        _ body: @Sendable (KillSite) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let spool = folder.url.appending(path: "uploads")
        var all = ["UPLOAD_DIR": spool.path, "LEASE_SECONDS": "\(leaseSeconds)", "OCR_WORKERS": "1"]
        all.merge(settings) { $1 }
        try await withSuite(replicas: replicas, databaseURL: databaseURL, settings: all) { suite in
            var postgres = PostgresSettings(url: suite.databaseURL)
            postgres.connections = 5
            let database = PostgresDatabase(settings: postgres, logger: .quiet)
            let result: Result<Void, any Error>
            do {
                let user = try await suite.register()
                let id = try await user.newConversation()
                try await body(
                    KillSite(suite: suite, user: user, conversation: id, database: database, spool: spool))
                result = .success(())
            } catch { result = .failure(error) }
            await database.close()
            try result.get()
        }
    }

    /// What becomes of the statement at which the victim was caught.
    enum Statement { case undone, done }

    /// Lets `act` happen, kills the victim when it has come to the stop, and lets the caught statement end so or so.
    ///
    /// - Returns: the children that the victim had.
    @discardableResult
    func kill(at stop: DatabaseStop, _ statement: Statement, _ act: @escaping @Sendable () async throws -> Void)
        async throws -> [Int32]
    {
        let (acting, children) = try await stop.hold(database) { [self] in
            let acting = Task { try await act() }
            try await DatabaseStop.reached(database)
            let children = ProcessTree.children(of: victim.process.id)
            try await victim.process.kill()
            if statement == .undone { try await DatabaseStop.abort(database) }
            return (acting, children)
        }
        // A request that was under way is broken off with its replica.
        _ = try? await acting.value
        return children
    }

    func ask(_ text: String = "Think") async throws {
        _ = try await user.chat.post(
            "/chat", ["conversation_id": .number(Double(conversation)), "message": .string(text)])
    }

    /// Uploads a fixture, or five pages that are quickly read.
    func upload(_ path: String? = nil) async throws {
        if let path {
            _ = try await user.upload([Fixture(path)], to: conversation)
            return
        }
        var form = MultipartForm(fields: [("conversation_id", "\(conversation)")])
        form.add(file: "book.pdf", bytes: TextBook.bytes)
        let reply = try await user.chat.post("/chat/file", form)
        guard reply.status == 202 else { throw SuiteFault(description: "not accepted: \(reply)") }
    }

    /// Uploads five pages and stops the victim's child when it is asked for the third: two are stored, and it goes
    /// no further.
    ///
    /// - Returns: the child.
    func uploadUpToPageThree() async throws -> Int32 {
        let stop = DatabaseStop("before insert", on: "chat.pages", when: "new.number = 2")
        let child = try await stop.hold(database) {
            try await upload()
            try await DatabaseStop.reached(database)
            let child = try ProcessTree.children(of: victim.process.id).first.orThrow("child")
            Foundation.kill(child, SIGSTOP)
            return child
        }
        _ = try await polling(for: "two pages", atMost: .seconds(120)) {
            try await database.value("select max(pages_done) from chat.files", Int32.self) == 2 ? true : nil
        }
        return child
    }

    /// How often the only job was claimed; 0 when there is none.
    var attempt: Int {
        get async throws { try await database.value("select coalesce(max(attempt), 0)::bigint from chat.jobs") }
    }

    /// Every question comes to an end, and these are the answers.
    func expectAnswers(_ expected: [String], location: SourceLocation = #_sourceLocation) async throws {
        let questions: [Int] = try await database.read("select id from chat.messages where role = 'user'").map { row in
            try row.decode(Int.self)
        }
        for id in questions {
            let message = try await user.finalMessage(id)
            #expect(message["status"] == "completed", "\(message)", sourceLocation: location)
        }
        let sql: SQL = "select content from chat.messages where role = 'assistant' order by content"
        let answers: [String] = try await database.read(sql).map { row in try row.decode(String.self) }
        #expect(answers == expected.sorted(), sourceLocation: location)
    }

    /// Starts the replica that goes on, and waits for the only question to be final.
    func survive(with status: String = "completed") async throws -> (service: SpawnedService, message: JSON) {
        let survivor = try await suite.start(.chat)
        let id = try await database.value("select min(id) from chat.messages where role = 'user'", Int.self)
        let message = try await user.finalMessage(id, at: user.at(survivor), atMost: .seconds(120))
        #expect(message["status"].string == status, "\(message)")
        return (survivor, message)
    }

    /// One question, one answer, and nothing of the work is left anywhere.
    func expectOneAnswerAndNothingLeft(
        at survivor: SpawnedService, children: [Int32] = [], location: SourceLocation = #_sourceLocation
    ) async throws {
        let history = try await user.at(survivor).get("/conversations/\(conversation)/messages").json
        #expect(history["messages"].array.map { $0["role"] } == ["user", "assistant"], sourceLocation: location)
        try await expectNothingLeft(children: children, location: location)
    }

    func expectNothingLeft(children: [Int32] = [], location: SourceLocation = #_sourceLocation) async throws {
        for table in ["jobs", "pages", "upload_chunks", "deltas"] {
            let count = try await database.value("select count(*) from chat.\(unsafeRaw: table)", Int.self)
            #expect(count == 0, "\(table)", sourceLocation: location)
        }
        let processing = "select count(*) from chat.messages where status = 'processing'"
        #expect(try await database.value("\(unsafeRaw: processing)", Int.self) == 0, sourceLocation: location)
        _ = try await polling(for: "an empty spool: \(spooledFiles)", atMost: .seconds(20)) {
            spooledFiles.isEmpty ? true : nil
        }
        for child in children {
            _ = try await polling(for: "the end of child \(child)", atMost: .seconds(10)) {
                ProcessTree.isAlive(child) ? nil : true
            }
        }
    }

    /// Uploaded bytes on this disk, of whichever process.
    var spooledFiles: [String] {
        let all = FileManager.default.subpaths(atPath: spool.path) ?? []
        return all.filter { path in
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: spool.appending(path: path).path, isDirectory: &isFolder)
            return !isFolder.boolValue && !path.hasSuffix(".lock")
        }
    }
}

extension SpawnedService {
    /// A number of `/metrics`, added up over its labels; 0 while it is not there.
    func metric(_ name: String) async throws -> Double {
        try await client.get("/metrics").text.split(separator: "\n").reduce(0) { sum, line in
            guard line.hasPrefix(name), let end = line.firstIndex(where: { " {".contains($0) }), line[..<end] == name
            else { return sum }
            return sum + (line.split(separator: " ").last.flatMap { Double($0) } ?? 0)
        }
    }
}
