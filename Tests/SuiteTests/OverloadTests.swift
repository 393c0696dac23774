import Foundation
import NIOHTTP1
import Shared
import TestSupport
import Testing

/// Too much, or no room: the caller is told to come again, nothing is half done, and it ends without a restart.
@Suite("Overload")
struct OverloadTests {
    private func form(_ id: Int, _ bytes: Data) -> MultipartForm {
        var form = MultipartForm(fields: [("conversation_id", "\(id)")])
        form.add(file: "a.txt", bytes: bytes)
        return form
    }

    private func expect(
        _ code: ProblemCode, _ reply: Reply, _ comment: Comment? = nil, location: SourceLocation = #_sourceLocation
    ) {
        #expect(reply.code == code.rawValue, comment ?? "\(reply)", sourceLocation: location)
        #expect(reply.status == code.status, sourceLocation: location)
        #expect(
            reply.headers.first(name: "Retry-After").flatMap { Int($0) } ?? 0 > 0, sourceLocation: location)
    }

    /// Runs `body` with a client for the suite's own database.
    private func withDatabase<R: Sendable>(
        of suite: Suite, _ body: (PostgresDatabase) async throws -> R
    ) async throws -> R {
        var settings = PostgresSettings(url: suite.databaseURL)
        settings.connections = 5
        let database = PostgresDatabase(settings: settings, logger: .quiet)
        let result: Result<R, any Error>
        do { result = .success(try await body(database)) } catch { result = .failure(error) }
        await database.close()
        return try result.get()
    }

    /// To store a large file takes a while: what waits meanwhile waits for its turn, not with a connection in its hand.
    @Test func uploadsThatAreBeingStoredLeaveConnectionsToOthers() async throws {
        try await withSuite(settings: ["DATABASE_CONNECTIONS": "4"]) { suite in
            let (user, other) = (try await suite.register(), try await suite.register("Bob"))
            let (id, theirs) = (try await user.newConversation(), try await other.newConversation())
            try await withDatabase(of: suite) { database in
                let stop = DatabaseStop("before insert", on: "chat.upload_chunks")
                let uploads = try await stop.hold(database) {
                    let uploads = (0..<6).map { _ in
                        Task { try await user.chat.post("/chat/file", form(id, Data("Hi".utf8))).status }
                    }
                    _ = try await polling(for: "six uploads under way", atMost: .seconds(60)) {
                        // This call is one of them.
                        try await user.chat.get("/metrics").text.contains("\nhttp_requests_in_flight 7") ? true : nil
                    }
                    let question: JSON = ["conversation_id": .number(Double(theirs)), "message": "Is there room?"]
                    #expect(try await other.chat.post("/chat", question).status == 200)
                    return uploads
                }
                for upload in uploads { #expect(try await upload.value == 202) }
            }
        }
    }

    @Test func uploadsAreRefusedByTheBytesThatWait() async throws {
        try await withSuite { suite in
            let (user, other) = (try await suite.register(), try await suite.register("Bob"))
            let (id, theirs) = (try await user.newConversation(), try await other.newConversation())
            try await withDatabase(of: suite) { database in
                // A message of 401 MiB that waits until tomorrow: 100 jobs of a user stand for 400.
                try await database.query(
                    """
                    with question as (
                        insert into chat.messages (conversation_id, role, status, content, file_count)
                        values (\(id), 'user', 'processing', '', 1) returning id),
                    file as (
                        insert into chat.files (message_id, position, name, size, content_type, document_type, sha256)
                        select id, 0, 'big.txt', \(401 << 20), 'text/plain', 'text', '' from question)
                    insert into chat.jobs (
                        subject_id, question_id, answer_id, conversation_id, user_id, stage, run_after)
                    select id, id, nextval('chat.messages_id_seq'), \(id), \(user.id), 'recognize',
                        clock_timestamp() + interval '1 day'
                    from question
                    """)
                expect(.tooManyJobs, try await user.chat.post("/chat/file", form(id, Data("Hi".utf8))))
                #expect(try await other.chat.post("/chat/file", form(theirs, Data("Hi".utf8))).status == 202)
                try await database.query("update chat.files set size = \(4001 << 20) where name = 'big.txt'")
                expect(.queueFull, try await other.chat.post("/chat/file", form(theirs, Data("Hi".utf8))))
                try await database.query("update chat.files set size = 1 where name = 'big.txt'")
                for (user, id) in [(user, id), (other, theirs)] {
                    #expect(try await user.chat.post("/chat/file", form(id, Data("Hi".utf8))).status == 202)
                }
            }
        }
    }

    /// A limit on the size of files (setrlimit(2)) makes the spool's writes fail as a full disk does, without root.
    @Test func aFullSpoolIs503AndEndsWhenThereIsRoomAgain() async throws {
        try await withSuite { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            func limit(_ bytes: String) async throws {
                let process = try await SpawnedProcess.start(
                    URL(filePath: "/usr/bin/prlimit"), ["--pid", "\(suite.chats[0].process.id)", "--fsize=\(bytes)"],
                    name: "prlimit", environment: [:], directory: ProjectFolder.root)
                #expect(try await process.waitForExit(atMost: .seconds(10)) == 0)
            }
            let text = Data(repeating: UInt8(ascii: "a"), count: 1 << 20)
            try await limit("65536:unlimited")
            for _ in 0..<3 {
                expect(
                    .storageFull,
                    try await user.chat.post("/chat/file", form(id, text), headers: ["Idempotency-Key": "f"]))
            }
            #expect(try await user.chat.get("/conversations/\(id)/messages").json["messages"].array.isEmpty)
            let question: JSON = ["conversation_id": .number(Double(id)), "message": "Hi"]
            #expect(try await user.chat.post("/chat", question).status == 200, "questions need no spool")
            try await limit("unlimited:unlimited")
            let accepted = try await user.chat.post("/chat/file", form(id, text), headers: ["Idempotency-Key": "f"])
            #expect(accepted.status == 202, "\(accepted)")
            let message = try await user.finalMessage(try accepted.json["message_id"].int.orThrow("message_id"))
            #expect(message["status"] == "completed", "\(message)")
        }
    }

    /// disk_full, out_of_memory, too_many_connections: raised by a trigger in the middle of the work.
    @Test(arguments: [
        ("53100", ProblemCode.storageFull), ("53200", .databaseUnavailable), ("53300", .databaseUnavailable),
    ])
    func postgresWithoutResourcesIs503AndEndsByItself(_ state: String, _ code: ProblemCode) async throws {
        try await withSuite { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            let question: JSON = ["conversation_id": .number(Double(id)), "message": "Hi"]
            let key: HTTPHeaders = ["Idempotency-Key": "again"]
            try await withDatabase(of: suite) { database in
                try await database.query(
                    """
                    create function public.refuse() returns trigger language plpgsql as
                    $$ begin raise exception 'no room' using errcode = '\(unsafeRaw: state)'; end $$
                    """)
                for table in ["chat.upload_chunks", "chat.jobs"] {
                    try await database.query(
                        """
                        create trigger refuse before insert on \(unsafeRaw: table)
                        for each row execute function public.refuse()
                        """)
                    expect(code, try await user.chat.post("/chat/file", form(id, Data("Hi".utf8)), headers: key))
                    if table == "chat.jobs" { expect(code, try await user.chat.post("/chat", question, headers: key)) }
                    try await database.query("drop trigger refuse on \(unsafeRaw: table)")
                }
                #expect(try await database.value("select count(*) from chat.messages", Int.self) == 0)
                #expect(try await database.value("select count(*) from chat.idempotency_keys", Int.self) == 0)
            }
            #expect(try await user.chat.post("/chat", question, headers: key).status == 200)
            let accepted = try await user.chat.post("/chat/file", form(id, Data("Hi".utf8)), headers: key)
            #expect(accepted.status == 202, "\(accepted)")
            _ = try await user.finalMessage(try accepted.json["message_id"].int.orThrow("message_id"))
        }
    }

    /// The one leased connection waits for a lock that a test holds; the others wait for the connection.
    @Test func anExhaustedPoolIs503AndEndsByItself() async throws {
        try await withSuite(settings: ["DATABASE_CONNECTIONS": "2"]) { suite in
            let user = try await suite.register()
            let id = try await user.newConversation()
            let question: JSON = ["conversation_id": .number(Double(id)), "message": "Hi"]
            try await withDatabase(of: suite) { database in
                try await database.withTransaction { transaction in
                    try await transaction.query("select from chat.conversations where id = \(id) for update")
                    let first = Task { try await user.chat.post("/chat", question) }
                    // Whoever comes while the first one has the connection is refused after its patience.
                    let refused = try await polling(for: "a refusal", atMost: .seconds(30)) {
                        let reply = try await user.chat.post("/conversations", ["title": "One more"])
                        return reply.status == 201 ? nil : reply
                    }
                    expect(.overloaded, refused)
                    try await transaction.query("select 1")
                    first.cancel()
                }
            }
            _ = try await polling(for: "an answer", atMost: .seconds(30)) {
                try await user.chat.post("/chat", question).status == 200 ? true : nil
            }
        }
    }
}
