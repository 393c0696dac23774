import Foundation
import Shared
import TestSupport

@testable import ChatService

/// A migrated database with one user and one conversation of theirs.
struct ChatFixture: Sendable {
    let database: PostgresDatabase
    let userID: Int
    let conversationID: Int
    /// Another user, who may see nothing of the first.
    let strangerID: Int

    /// - Parameters:
    ///   - isRelaxed: commits do not wait for the disk, and more of them may be under way: for tests of many.
    ///   - deadlockTimeout: when PostgreSQL looks for a deadlock.
    static func with<R>(
        isRelaxed: Bool = false, deadlockTimeout: String = "1s", _ body: (ChatFixture) async throws -> R
    ) async throws -> R {
        let configure: (inout PostgresSettings) -> Void = { settings in
            settings.url += "?options=-cdeadlock_timeout%3D\(deadlockTimeout)"
            guard isRelaxed else { return }
            settings.url += "%20-csynchronous_commit%3Doff"
            settings.connections = 10
        }
        return try await withTestDatabase(migrated: true, configure: configure) { database, _ in
            let userID = try await user(database, "owner@example.org")
            let conversation = try await database.insertConversation(
                userID: userID, title: "Talk", businessContext: nil)
            return try await body(
                ChatFixture(
                    database: database, userID: userID, conversationID: conversation.id,
                    strangerID: try await user(database, "stranger@example.org")))
        }
    }

    private static func user(_ database: PostgresDatabase, _ email: String) async throws -> Int {
        try await database.query(
            """
            insert into auth.users (email, password_hash, name)
            values (\(email), '$argon2id$none', 'Somebody') returning id
            """)[0].decode(Int.self)
    }

    func question(_ content: String = "Why?", files: Int = 0) -> NewQuestion {
        NewQuestion(
            conversationID: conversationID, userID: userID, content: content, domain: nil, fileCount: files)
    }

    /// A plain question with its job, claimed with a lease of `leaseSeconds`.
    func accept(_ content: String = "Why?", leaseSeconds: Int = 86_400) async throws -> AcceptedQuestion {
        guard
            let accepted = try await database.acceptQuestion(
                question(content), owner: UUID(), leaseSeconds: leaseSeconds)
        else { throw Missing(what: "conversation") }
        return accepted
    }

    /// A question with one file of two chunks, its job waiting for recognition.
    func acceptFile(name: String = "scan.pdf", type: DocumentType = .pdf) async throws -> (questionID: Int, fileID: Int)
    {
        try await database.withTransaction { transaction in
            guard let (questionID, _) = try await transaction.insertFileQuestion(question("Look", files: 1)) else {
                throw Missing(what: "conversation")
            }
            let file = SpooledFile(
                path: "", name: name, size: 3, type: type, sha256: [UInt8](repeating: 0, count: 32))
            let fileID = try await transaction.insertFile(file, position: 0, messageID: questionID)
            try await transaction.insertUploadChunk([1, 2], number: 0, fileID: fileID)
            try await transaction.insertUploadChunk([3], number: 1, fileID: fileID)
            return (questionID, fileID)
        }
    }

    func claim(_ stage: JobStage, leaseSeconds: Int = 86_400) async throws -> ClaimedJob? {
        try await database.claimJobs(stage: stage, owner: UUID(), leaseSeconds: leaseSeconds, limit: 1).first
    }

    /// Stops the work on a message of the user, or of another; the usage of a text that is kept is its length.
    func cancel(_ messageID: Int, userID: Int? = nil) async throws -> MessageActionOutcome {
        try await database.cancelMessage(messageID, userID: userID ?? self.userID) { text, context in
            #"{"question":"\#(context.question)","length":\#(text.count)}"#
        }
    }

    /// Lets every lease run out, as if its holder had been silent.
    func expireLeases() async throws {
        try await database.query("update chat.jobs set lease_until = clock_timestamp() - interval '1 second'")
    }

    func status(of messageID: Int) async throws -> String? {
        try await database.read("select status from chat.messages where id = \(messageID)").first?.decode(String.self)
    }

    func count(_ table: String) async throws -> Int {
        try await database.read("select count(*) from chat.\(unsafeRaw: table)")[0].decode(Int.self)
    }

    struct Missing: Error {
        let what: String
    }
}
