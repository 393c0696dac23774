import HTTPTypes
import Hummingbird
import Shared

/// `POST /chat/file`, and `POST /chat` as a form with files.
struct UploadRoutes: Sendable {
    let database: PostgresDatabase
    let pool: JobPool
    let admission: Admission
    let fields: QuestionFields
    let reader: UploadReader
    let store: UploadStore
    let uploads: LocalUploads

    /// How long `POST /chat` with files waits for the answer when the client does not say (`Prefer: wait`, RFC 7240).
    static let waitSecondsDefault = 55
    static let waitSecondsMax = 300

    /// Takes the files, makes them durable, and answers 202 before any of them is read.
    func upload(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        try await checkQueue(context)
        let question = try await reader.withUpload(of: request, context: context, filesRequired: true) { upload in
            try await accept(upload, context)
        }
        return Self.accepted(question)
    }

    /// A form: a plain question when no file is in it, else the work of `upload`, awaited.
    ///
    /// - Parameter plain: answers a question without files.
    func askWithFiles(
        _ request: Request, _ context: AuthenticatedContext, plain: (NewQuestion) async throws -> Response
    ) async throws -> Response {
        try await checkQueue(context)
        let form = try await reader.withUpload(of: request, context: context, filesRequired: false) { upload -> Form in
            guard upload.files.isEmpty else { return .accepted(try await accept(upload, context)) }
            var body = BodyFields(form: upload.fields)
            return .plain(try fields.question(from: &body, context.identity.userID))
        }
        switch form {
        case .plain(let question): return try await plain(question)
        case .accepted(let question): return try await answer(to: question, request)
        }
    }

    private enum Form: Sendable {
        case plain(NewQuestion)
        case accepted(AcceptedUpload)
    }

    /// Refused before the body is read where that is possible.
    private func checkQueue(_ context: AuthenticatedContext) async throws {
        try admission.check(waiting: try await database.countUnfinishedJobs(userID: context.identity.userID))
    }

    private func accept(_ upload: Upload, _ context: AuthenticatedContext) async throws -> AcceptedUpload {
        var body = BodyFields(form: upload.fields)
        let question = try fields.question(
            from: &body, context.identity.userID, fileCount: upload.files.count)
        guard let stored = try await store.store(question, upload.files) else {
            throw Problem(.conversationNotFound)
        }
        upload.keepFiles()
        await uploads.keep(stored.files)
        await pool.announce(.recognize)
        return AcceptedUpload(questionID: stored.questionID, conversationID: question.conversationID)
    }

    /// Waits for the end of the work, as long as the client wants to.
    private func answer(to question: AcceptedUpload, _ request: Request) async throws -> Response {
        let deadline = ContinuousClock.now + .seconds(Self.waitSeconds(of: request))
        while ContinuousClock.now < deadline {
            guard let standing = try await database.questionStanding(question.questionID) else {
                throw Problem(.conversationNotFound)
            }
            if let answer = standing.answer {
                return .json(
                    .answer(answer, questionID: question.questionID, conversationID: question.conversationID))
            }
            if let failure = standing.failure { throw Problem(failure, questionID: question.questionID) }
            try await Task.sleep(for: .milliseconds(200))
        }
        return Self.accepted(question)
    }

    private static func waitSeconds(of request: Request) -> Int {
        for preference in request.headers[values: .prefer].flatMap({ $0.split(separator: ",") }) {
            let pair = preference.split(separator: "=", maxSplits: 1).map(\.trimmedBlanks)
            if pair.count == 2, pair[0].lowercased() == "wait", let seconds = Int(pair[1]), seconds >= 0 {
                return min(seconds, waitSecondsMax)
            }
        }
        return waitSecondsDefault
    }

    private static func accepted(_ question: AcceptedUpload) -> Response {
        var json = JSONWriter(capacity: 128)
        json.object { json in
            json.member("message_id", question.questionID)
            json.member("conversation_id", question.conversationID)
            json.member("status", "processing")
        }
        return .json(
            json.buffer, status: .accepted,
            headers: [.location: "/messages/\(question.questionID)", .retryAfter: "1"])
    }
}

/// A committed upload.
private struct AcceptedUpload: Sendable {
    let questionID: Int
    let conversationID: Int
}

extension HTTPField.Name {
    /// RFC 7240, section 2.
    fileprivate static let prefer = HTTPField.Name("Prefer")!
}
