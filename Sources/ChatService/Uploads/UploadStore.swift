import Shared

/// Makes an upload durable: question, job, files and their bytes in one short transaction, so that a 202 is a promise.
struct UploadStore: Sendable {
    let database: PostgresDatabase
    let spool: UploadSpool

    /// What was committed.
    struct Stored: Sendable {
        let questionID: Int
        /// The files' ids, and where their bytes lie on this disk.
        let files: [(id: Int, path: String)]
    }

    /// - Returns: nil when the user has no such conversation.
    /// - Throws: what PostgreSQL or the disk threw; nothing was stored then, unless the error says that the outcome of
    ///   the commit is unknown.
    func store(_ question: NewQuestion, _ files: [SpooledFile]) async throws -> Stored? {
        try await database.withTransaction { transaction -> Stored? in
            guard let questionID = try await transaction.insertFileQuestion(question) else { return nil }
            var stored: [(id: Int, path: String)] = []
            for (position, file) in files.enumerated() {
                let id = try await transaction.insertFile(file, position: position, messageID: questionID)
                try await spool.forEachChunk(of: file.path) { number, bytes in
                    try await transaction.insertUploadChunk(bytes, number: number, fileID: id)
                }
                stored.append((id, file.path))
            }
            return Stored(questionID: questionID, files: stored)
        }
    }
}
