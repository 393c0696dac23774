import Foundation
import Shared

/// The rows of an upload that are written in its one short transaction.
extension PostgresQuerying {
    /// Stores the question of an upload, its waiting job and its key. Nil when the user has no such conversation.
    func insertFileQuestion(
        _ new: NewQuestion, key: IdempotencyKey? = nil
    ) async throws -> (questionID: Int, answerID: Int)? {
        // The answer to `/chat/file` is decided now; that of `/chat` depends on how long its asker waits.
        let status = key?.mark.call == .chatFile ? 202 : nil
        let known: SQL = key.map { "known as (\(sql: $0.insertion(forQuestionIn: "question", status: status)))," } ?? ""
        return try await query(
            """
            with conversation as (
                update chat.conversations set
                    updated_at = clock_timestamp(), messages_count = messages_count + 1, changes = changes + 1,
                    \(sql: ConversationTitle.assignment(of: new.title))
                where id = \(new.conversationID) and user_id = \(new.userID)
                returning id, changes),
            question as (
                insert into chat.messages (conversation_id, role, status, content, domain, file_count, change)
                select id, 'user', 'processing', \(new.content), \(new.domain), \(new.fileCount), changes
                from conversation
                returning id, conversation_id),
            \(sql: known)
            job as (
                insert into chat.jobs (subject_id, question_id, answer_id, conversation_id, user_id, stage, turn)
                select id, id, nextval('chat.messages_id_seq'), conversation_id, \(new.userID), 'recognize',
                    \(sql: JobTurn.next(stage: "'recognize'", user: "\(new.userID)"))
                from question
                returning question_id, answer_id)
            select question_id, answer_id from job
            """
        ).first?.decode(Int.self, Int.self)
    }

    /// The bytes of the files that wait for recognition or are being read, over all and of one user.
    func uploadedBytes(userID: Int) async throws -> (all: Int, ofUser: Int) {
        try await read(
            """
            select coalesce(sum(f.size), 0)::bigint,
                coalesce(sum(f.size) filter (where j.user_id = \(userID)), 0)::bigint
            from chat.jobs j join chat.files f on f.message_id = j.question_id where j.stage = 'recognize'
            """
        )[0].decode(Int.self, Int.self)
    }

    /// Stores what is known of an uploaded file before anybody has opened it; returns its id.
    func insertFile(_ file: SpooledFile, position: Int, messageID: Int) async throws -> Int {
        try await query(
            """
            insert into chat.files (message_id, position, name, size, content_type, document_type, sha256)
            values (\(messageID), \(position), \(file.name), \(file.size), \(file.type.contentType),
                \(file.type.rawValue), \(file.sha256))
            returning id
            """)[0].decode(Int.self)
    }

    /// Stores one piece of a file's bytes.
    func insertUploadChunk(_ bytes: [UInt8], number: Int, fileID: Int) async throws {
        try await query(
            "insert into chat.upload_chunks (file_id, number, bytes) values (\(fileID), \(number), \(bytes))")
    }

    /// Those of `fileIDs` that a job is still to read. A cancelled upload that is retried is rebuilt from its chunks.
    func filesStillUploaded(among fileIDs: [Int]) async throws -> Set<Int> {
        try await Set(
            read(
                """
                select f.id from chat.files f join chat.jobs j on j.question_id = f.message_id
                where f.id = any(\(fileIDs)) and j.stage = 'recognize'
                """
            ).map { row in
                try row.decode(Int.self)
            })
    }

    /// The files of a question.
    func fileIDs(ofMessage messageID: Int) async throws -> [Int] {
        try await read("select id from chat.files where message_id = \(messageID)").map { try $0.decode(Int.self) }
    }
}
