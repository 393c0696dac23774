import Shared

/// A committed upload.
struct StoredUpload: Sendable {
    let questionID: Int
    /// Set aside for the answer.
    let answerID: Int
    let conversationID: Int
    /// The files' ids, and where their bytes lie on this disk.
    let files: [(id: Int, path: String)]
}

/// Makes an upload durable: question, job, files and their bytes in one short transaction, so that a 202 is a promise.
struct UploadStore: Sendable {
    private let database: PostgresDatabase
    private let spool: UploadSpool
    /// Who waits for one has sent everything and is not refused; `UploadAdmission` bounds how many there are.
    private let slots: SlotLimit

    /// - Parameter connections: that can be leased at once. Large files take their time, and at most half of these.
    init(database: PostgresDatabase, spool: UploadSpool, connections: Int) {
        self.database = database
        self.spool = spool
        slots = SlotLimit(slots: max(1, connections / 2))
    }

    /// - Parameter key: stored in the same transaction.
    /// - Returns: nil when the user has no such conversation.
    /// - Throws: what PostgreSQL or the disk threw; nothing was stored then, unless the error says that the outcome of
    ///   the commit is unknown. 409 `idempotency_in_progress` while another transaction stores the same key.
    func store(_ question: NewQuestion, _ files: [SpooledFile], key: IdempotencyKey?) async throws -> StoredUpload? {
        try await slots.take()
        defer { slots.give() }
        return try await database.withTransaction { transaction -> StoredUpload? in
            if let key { try await transaction.lock(key.mark) }
            guard let (questionID, answerID) = try await transaction.insertFileQuestion(question, key: key) else {
                return nil
            }
            var stored: [(id: Int, path: String)] = []
            for (position, file) in files.enumerated() {
                let id = try await transaction.insertFile(file, position: position, messageID: questionID)
                try await spool.forEachChunk(of: file.path) { number, bytes in
                    try await transaction.insertUploadChunk(bytes, number: number, fileID: id)
                }
                stored.append((id, file.path))
            }
            return StoredUpload(
                questionID: questionID, answerID: answerID, conversationID: question.conversationID, files: stored)
        }
    }
}
