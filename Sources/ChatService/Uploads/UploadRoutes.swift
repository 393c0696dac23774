import HTTPTypes
import Hummingbird
import Shared

/// `POST /chat/file`, and `POST /chat` as a form with files.
struct UploadRoutes: Sendable {
    let database: PostgresDatabase
    let pool: JobPool
    /// Of the shared queue, which plain questions are in, too.
    let admission: Admission
    let room: UploadAdmission
    let fields: QuestionFields
    let keys: IdempotentAnswer
    let reader: UploadReader
    let store: UploadStore
    let uploads: LocalUploads

    /// How long `POST /chat` with files waits for the answer when the client does not say (`Prefer: wait`, RFC 7240).
    static let waitSecondsDefault = 55
    static let waitSecondsMax = 300

    /// Takes the files, makes them durable, and answers 202 before any of them is read.
    func upload(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let userID = context.identity.userID
        let mark = try IdempotencyMark(request.headers, call: .chatFile, userID: userID)
        let ticket = try await admit(request, mark, userID)
        defer { ticket?.leave() }
        return try await reader.withUpload(of: request, context: context, filesRequired: true) { upload in
            var body = BodyFields(form: upload.fields)
            let draft = try fields.draft(from: &body, files: upload.files)
            let key = mark?.key(for: draft.payload)
            let questionID = try await keys.once(key) { known in
                guard let questionID = known.questionID else { throw Problem(.conversationNotFound) }
                return questionID
            } first: {
                try await accept(draft, upload, userID, key).questionID
            }
            return .acceptedUpload(questionID: questionID, conversationID: draft.conversationID)
        }
    }

    /// A form: a plain question when no file is in it, else the work of `upload`, awaited.
    ///
    /// - Parameter plain: answers a question without files.
    func askWithFiles(
        _ request: Request, _ context: AuthenticatedContext, _ exchange: QuestionExchange,
        plain: (QuestionDraft) async throws -> Response
    ) async throws -> Response {
        switch try await form(request, context, exchange) {
        case .plain(let draft): return try await plain(draft)
        case .answered(let response): return response
        case .accepted(let question):
            if exchange.isStreamed { return stream(question, exchange) }
            return try await answer(to: question, exchange, waitSeconds: Self.waitSeconds(of: request))
        }
    }

    private enum Form: Sendable {
        case plain(QuestionDraft)
        /// A repetition.
        case answered(Response)
        case accepted(StoredUpload)
    }

    private func form(
        _ request: Request, _ context: AuthenticatedContext, _ exchange: QuestionExchange
    ) async throws -> Form {
        let ticket = try await admit(request, exchange.mark, exchange.userID)
        defer { ticket?.leave() }
        return try await reader.withUpload(of: request, context: context, filesRequired: false) { upload in
            var body = BodyFields(form: upload.fields)
            let draft = try fields.draft(from: &body, files: upload.files)
            if upload.files.isEmpty { return .plain(draft) }
            let key = exchange.mark?.key(for: draft.payload)
            return try await keys.once(key) { known in
                .answered(
                    try exchange.answer(again: known, try await database.standing(of: known), draft.conversationID))
            } first: {
                .accepted(try await accept(draft, upload, exchange.userID, key))
            }
        }
    }

    /// Refuses before the body is read, the cheaper look first: whoever is refused for the number of jobs costs no sum.
    /// A repetition is not refused and gets no ticket: it makes no work.
    private func admit(
        _ request: Request, _ mark: IdempotencyMark?, _ userID: Int
    ) async throws -> UploadAdmission.Ticket? {
        if let mark, try await database.isKnown(mark) { return nil }
        let jobs = try await database.countUnfinishedJobs(userID: userID)
        try admission.check(waiting: jobs)
        let bytes = try await database.uploadedBytes(userID: userID)
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? reader.limits.requestBytes
        return try room.enter(
            userID: userID, bytes: min(max(announced, 0), reader.limits.requestBytes),
            all: .init(jobs: jobs.all, bytes: bytes.all), ofUser: .init(jobs: jobs.ofUser, bytes: bytes.ofUser))
    }

    private func accept(
        _ draft: QuestionDraft, _ upload: Upload, _ userID: Int, _ key: IdempotencyKey?
    ) async throws -> StoredUpload {
        var question = try fields.question(from: draft, userID)
        question.fileName = upload.files.first?.name
        guard let stored = try await store.store(question, upload.files, key: key) else {
            throw Problem(.conversationNotFound)
        }
        upload.keepFiles()
        await uploads.keep(stored.files)
        pool.events.announce(question.conversationID)
        await pool.announce(.recognize)
        return stored
    }

    /// Waits for the end of the work as long as the client wants to, and no longer than this replica serves.
    private func answer(
        to question: StoredUpload, _ exchange: QuestionExchange, waitSeconds: Int
    ) async throws -> Response {
        let deadline = ContinuousClock.now + .seconds(waitSeconds)
        var pauses = StandingPauses()
        while ContinuousClock.now < deadline, !pool.held.isDraining {
            do {
                if let end = try await end(of: question) {
                    return .json(
                        .answer(
                            try end.get(), questionID: question.questionID, conversationID: question.conversationID))
                }
            } catch is PostgresError {
                // The question is accepted, whether PostgreSQL can be asked about it now or not.
            }
            try await Task.sleep(for: pauses.next())
        }
        // Without the mark a call with the same key looks at the question itself.
        if let mark = exchange.mark { try? await database.setStatus(202, of: mark) }
        return .acceptedUpload(questionID: question.questionID, conversationID: question.conversationID)
    }

    /// The events of a question with files: `accepted`, the answer as it is written, wherever that is, and `done` or
    /// `error` when the message is final.
    private func stream(_ question: StoredUpload, _ exchange: QuestionExchange) -> Response {
        .eventStream { events in
            var events = events
            try await events.sendAccepted(questionID: question.questionID, answerID: question.answerID)
            var pauses = StandingPauses()
            var told = ToldPieces()
            var spoke = ContinuousClock.now
            while true {
                for text in await newTexts(of: question, &told) {
                    try await events.send("delta") { json in json.member("text", text) }
                    (spoke, pauses) = (.now, StandingPauses())
                }
                if let end = await knownEnd(of: question) {
                    if case .success(let answer) = end, let rest = told.rest(of: answer.text) {
                        try await events.send("delta") { json in json.member("text", rest) }
                    }
                    return try await events.send(
                        end, questionID: question.questionID, conversationID: question.conversationID,
                        requestID: exchange.requestID)
                }
                if ContinuousClock.now - spoke >= EventStreamWriter.pingInterval {
                    try await events.sendPing()
                    spoke = .now
                }
                try await Task.sleep(for: pauses.next())
            }
        }
    }

    private func end(of question: StoredUpload) async throws -> QuestionEnd? {
        guard let standing = try await database.questionStanding(question.questionID) else {
            return .failure(Problem(.conversationNotFound))
        }
        return standing.end(questionID: question.questionID)
    }

    /// What was written since the last look; nothing when the look fails, since the last event tells everything.
    private func newTexts(of question: StoredUpload, _ told: inout ToldPieces) async -> [String] {
        let pieces = try? await database.pieces(
            ofAnswer: question.answerID, inConversation: question.conversationID, after: told)
        return told.take(pieces ?? [])
    }

    /// Every stream ends with an event, also when PostgreSQL is away or this replica stops.
    private func knownEnd(of question: StoredUpload) async -> QuestionEnd? {
        do {
            if let end = try await end(of: question) { return end }
            return pool.held.isDraining ? .failure(.answeredLater(questionID: question.questionID)) : nil
        } catch {
            return .failure(.endNotKnown(questionID: question.questionID, cause: error))
        }
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
}

/// Pauses between two looks at a question: short while an answer may come at once, longer when it takes its time, so
/// that a thousand waiting clients are no load.
private struct StandingPauses {
    private var pause: Duration = .milliseconds(100)

    mutating func next() -> Duration {
        defer { pause = min(pause * 5 / 4, .seconds(1)) }
        return pause
    }
}
