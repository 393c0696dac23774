import Logging
import Metrics
import Shared

/// The recognizing stage of one slot: reads a question's files page by page and stores each page as it is done.
struct Recognizing: Sendable {
    let database: PostgresDatabase
    let recognizer: RecognizerProcess
    let uploads: LocalUploads
    let events: EventHub
    let logger: Logger

    /// How often a file may crash or hang its child.
    static let crashesMax = 3

    /// How the stage ended for one claimed job.
    enum Outcome: Sendable {
        /// The text is stored; any replica may answer.
        case recognized
        /// The message is failed and says why.
        case failed(JobFailure)
        /// To be given back, for another try after the pause.
        case again(after: Duration, isSpared: Bool)
        /// Somebody else owns the job.
        case lost
    }

    /// Works until the text is stored or the job has to end or wait. Throws what PostgreSQL or the disk threw.
    func recognize(_ job: ClaimedJob) async throws -> Outcome {
        let files = try await database.files(ofMessage: job.questionID)
        let done = Dictionary(
            grouping: try await database.pages(ofMessage: job.questionID), by: \.fileID
        ).mapValues { Set($0.map(\.number)) }
        for file in files {
            if let outcome = try await recognize(file, done: done[file.id] ?? [], job) { return outcome }
        }
        return try await storeText(of: files, job)
    }

    /// - Returns: nil when every page of the file is stored.
    private func recognize(_ file: StoredFile, done: Set<Int>, _ job: ClaimedJob) async throws -> Outcome? {
        if let total = file.pagesTotal, done.count >= total { return nil }
        if job.lease.isOver() { return .lost }
        let path: String
        do {
            path = try await uploads.path(ofFile: file.id, rebuildingFrom: database)
        } catch is UploadGone {
            return .failed(.unreadableFile("The uploaded file is no longer stored; please send it again."))
        }
        do throws(RecognitionFailure) {
            let pages = try await recognizer.open(path: path, type: file.type)
            return try await recognize(file, pages: pages, done: done, job)
        } catch {
            return try await outcome(of: error, file, job)
        }
    }

    private func recognize(
        _ file: StoredFile, pages: Int, done: Set<Int>, _ job: ClaimedJob
    ) async throws(RecognitionFailure) -> Outcome? {
        let isHeld = await database.persist(job.fence, logger: logger) {
            try await database.setPagesTotal(pages, ofFile: file.id, fence: job.fence)
        }
        guard isHeld else { return .lost }
        events.announce(job.conversationID)
        for number in 1...max(pages, 1) where number <= pages && !done.contains(number) {
            if job.lease.isOver() { return .lost }
            let text: String?
            switch try await recognizer.recognizePage(number) {
            case .text(let recognized): text = recognized
            case .unreadable: text = nil
            }
            Counter(label: "parley_recognized_pages").increment()
            let isHeld = await database.persist(job.fence, logger: logger) {
                try await database.storePage(number, text: text, ofFile: file.id, fence: job.fence)
            }
            guard isHeld else { return .lost }
            events.announce(job.conversationID)
        }
        return nil
    }

    private func storeText(of files: [StoredFile], _ job: ClaimedJob) async throws -> Outcome {
        let pages = try await database.pages(ofMessage: job.questionID)
        if RecognizedText.isEmpty(pages) {
            let isUnreadable = pages.contains { $0.text == nil }
            return .failed(isUnreadable ? .unreadableFile("No page of the file could be read.") : .noTextFound)
        }
        let message = try await database.messageContent(job.questionID) ?? ""
        let text = RecognizedText.assemble(message: message, files: files, pages: pages)
        return try await database.storeRecognizedText(text, fence: job.fence) ? .recognized : .lost
    }

    private func outcome(of failure: RecognitionFailure, _ file: StoredFile, _ job: ClaimedJob) async throws -> Outcome
    {
        logger.info(
            "file not recognised",
            metadata: ["job": "\(job.fence.jobID)", "file": "\(file.id)", "cause": "\(failure)"])
        switch failure {
        case .unreadableFile: return .failed(.unreadableFile("The file could not be read; it may be damaged."))
        case .encryptedFile: return .failed(.encryptedFile)
        case .tooManyPages: return .failed(.tooManyPages)
        case .tooManyPixels: return .failed(.tooManyPixels)
        case .cancelled: return .again(after: .zero, isSpared: true)
        case .unavailable:
            // Perhaps the local copy is gone: the next try makes a new one from the chunks.
            await uploads.discard([file.id])
            return .again(after: .seconds(5), isSpared: true)
        case .timedOut, .crashed:
            guard let crashes = try await database.countCrash(ofFile: file.id, fence: job.fence) else { return .lost }
            guard crashes >= Self.crashesMax else { return .again(after: .zero, isSpared: false) }
            if case .timedOut = failure { return .failed(.recognitionTimeout) }
            return .failed(.recognitionCrashed)
        }
    }
}

extension JobFailure {
    static func unreadableFile(_ detail: String) -> JobFailure {
        JobFailure(code: "unreadable_file", detail: detail, isRetryable: false)
    }
    static let encryptedFile = JobFailure(
        code: "encrypted_file", detail: "The file is protected by a password.", isRetryable: false)
    static let tooManyPages = JobFailure(
        code: "too_many_pages", detail: "The file has more than 100 pages.", isRetryable: false)
    static let tooManyPixels = JobFailure(
        code: "too_many_pixels", detail: "A page of the file has more than 50 megapixels.", isRetryable: false)
    static let noTextFound = JobFailure(
        code: "no_text_found", detail: "No text was found in the file.", isRetryable: false)
    static let recognitionTimeout = JobFailure(
        code: "recognition_timeout", detail: "A page of the file took too long to recognise.", isRetryable: false)
    static let recognitionBrokenOff = JobFailure(
        code: "recognition_crashed", detail: "The recognition of the file was broken off again and again.",
        isRetryable: true)
    static let recognitionCrashed = JobFailure(
        code: "recognition_crashed",
        detail: "The file could not be recognised: it made the recognition fail repeatedly.",
        isRetryable: false)
}
