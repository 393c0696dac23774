import Foundation
import Shared

/// A file of a question as the recognizing stage sees it.
struct StoredFile: Sendable {
    let id: Int
    let position: Int
    /// The client's name for it, cleaned of any path.
    let name: String
    let type: DocumentType
    /// Known once the file was opened.
    let pagesTotal: Int?
    let crashes: Int
}

/// A recognised page; `text` is nil when the page could not be read.
struct StoredPage: Sendable {
    let fileID: Int
    let number: Int
    let text: String?
}

/// The checkpoints of the recognizing stage. Progress that may be lost with the machine is written without waiting for
/// the disk; the caller chooses that with a relaxed transaction.
extension PostgresQuerying {
    /// The files of a question, in the order of the upload.
    func files(ofMessage messageID: Int) async throws -> [StoredFile] {
        try await read(
            """
            select id, position, name, document_type, pages_total, crashes
            from chat.files where message_id = \(messageID) order by position
            """
        ).map { row in
            let (id, position, name, type, pages, crashes) = try row.decode(
                Int.self, Int.self, String.self, String.self, Int?.self, Int.self)
            guard let type = DocumentType(rawValue: type) else { throw UnknownDocumentType(name: type) }
            return StoredFile(
                id: id, position: position, name: name, type: type, pagesTotal: pages, crashes: crashes)
        }
    }

    /// The pages of a question's files that are recognised already.
    func pages(ofMessage messageID: Int) async throws -> [StoredPage] {
        try await read(
            """
            select p.file_id, p.number, p.text from chat.pages p join chat.files f on f.id = p.file_id
            where f.message_id = \(messageID) order by f.position, p.number
            """
        ).map { row in
            let (fileID, number, text) = try row.decode(Int.self, Int.self, String?.self)
            return StoredPage(fileID: fileID, number: number, text: text)
        }
    }

    /// What the asker wrote with the files. Nil when the message is gone.
    func messageContent(_ id: Int) async throws -> String? {
        try await read("select content from chat.messages where id = \(id)").first?.decode(String.self)
    }

    /// One chunk of an upload, or nil past the last.
    func uploadChunk(fileID: Int, number: Int) async throws -> [UInt8]? {
        try await read(
            "select bytes from chat.upload_chunks where file_id = \(fileID) and number = \(number)"
        ).first?.decode([UInt8].self)
    }

    /// Remembers how many pages a file has. Returns whether the job is still this holder's.
    func setPagesTotal(_ pages: Int, ofFile fileID: Int, fence: JobFence) async throws -> Bool {
        try await query(
            """
            with job as (
                select subject_id, conversation_id from chat.jobs
                where id = \(fence.jobID) and attempt = \(fence.attempt) for no key update),
            file as (
                update chat.files set pages_total = \(pages) from job where id = \(fileID) returning id),
            \(sql: Self.tellingOfProgress)
            select id from file
            """
        ).isEmpty == false
    }

    /// Stores a recognised page and counts the progress; doing it twice changes nothing. The claims so far count as
    /// tries no more: there is something to show for them.
    ///
    /// - Parameter text: nil when the page could not be read.
    /// - Returns: whether the job is still this holder's.
    func storePage(_ number: Int, text: String?, ofFile fileID: Int, fence: JobFence) async throws -> Bool {
        try await query(
            """
            with job as (
                update chat.jobs set spared = attempt where id = \(fence.jobID) and attempt = \(fence.attempt)
                returning id, subject_id, conversation_id),
            page as (
                insert into chat.pages (file_id, number, text) select \(fileID), \(number), \(text) from job
                on conflict do nothing returning file_id),
            progress as (
                update chat.files set pages_done = pages_done + 1, partial = partial or \(text == nil)
                from page where files.id = page.file_id),
            \(sql: Self.tellingOfProgress)
            select id from job
            """
        ).isEmpty == false
    }

    /// Gives the message of `job` the next number of its conversation, so that readers of events hear of it.
    private static var tellingOfProgress: SQL {
        """
        conversation as (
            update chat.conversations set changes = changes + 1
            where id = (select conversation_id from job) returning changes),
        message as (
            update chat.messages set change = c.changes from conversation c, job where messages.id = job.subject_id)
        """
    }

    /// Counts a crash or a hang of the recognizing child against the file. Returns the count, or nil when the job is
    /// lost.
    func countCrash(ofFile fileID: Int, fence: JobFence) async throws -> Int? {
        try await query(
            """
            with job as (
                select id from chat.jobs where id = \(fence.jobID) and attempt = \(fence.attempt) for no key update)
            update chat.files set crashes = crashes + 1 from job where files.id = \(fileID) returning crashes
            """
        ).first?.decode(Int.self)
    }

    /// The checkpoint between the stages: stores the text, drops the uploaded bytes and the pages, and lets any replica
    /// answer.
    ///
    /// The claim is given back without a cost, so that the answering stage starts with all its tries.
    ///
    /// - Returns: whether the job was still this holder's.
    func storeRecognizedText(_ text: String, fence: JobFence) async throws -> Bool {
        try await query(
            """
            with job as (
                update chat.jobs set
                    stage = 'answer', lease_until = null, owner = null, spared = attempt, run_after = clock_timestamp(),
                    turn = \(sql: JobTurn.next(stage: "'answer'", user: "jobs.user_id"))
                where id = \(fence.jobID) and attempt = \(fence.attempt)
                returning question_id, conversation_id),
            conversation as (
                update chat.conversations set changes = changes + 1
                where id = (select conversation_id from job) returning changes),
            chunks as (
                delete from chat.upload_chunks
                where file_id in (select f.id from chat.files f join job on f.message_id = job.question_id)),
            pages as (
                delete from chat.pages
                where file_id in (select f.id from chat.files f join job on f.message_id = job.question_id))
            update chat.messages set content = \(text), change = c.changes
            from job, conversation c where messages.id = job.question_id
            """
        ).affectedRows == 1
    }
}

/// A row names a document type that this version does not know: written by a newer one during a rolling upgrade.
struct UnknownDocumentType: Error {
    let name: String
}
