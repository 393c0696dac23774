import Hummingbird
import NIOCore
import Shared

/// `POST /chat`: a question, and its answer in the same exchange.
struct QuestionRoutes: Sendable {
    let database: PostgresDatabase
    let pool: JobPool
    let admission: Admission
    let fields: QuestionFields
    let uploads: UploadRoutes

    func ask(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let isStreamed = request.acceptsEventStream
        let requestID = context.requestID
        switch try request.bodyForm(allowing: [.json, .form, .multipart]) {
        case .multipart:
            return try await uploads.askWithFiles(request, context) { question in
                try await answer(question, isStreamed: isStreamed, requestID: requestID)
            }
        case .json, .form:
            var body = try await request.bodyFields(context, allowing: [.json, .form])
            let question = try fields.question(from: &body, context.identity.userID)
            return try await answer(question, isStreamed: isStreamed, requestID: requestID)
        }
    }

    private func answer(_ question: NewQuestion, isStreamed: Bool, requestID: String) async throws -> Response {
        guard isStreamed else { return try await answer(question) }
        let ticket = try admission.enter(userID: question.userID)
        let accepted: AcceptedQuestion
        do {
            accepted = try await accept(question)
        } catch {
            ticket.leave()
            throw error
        }
        // Begun before the first event is written: a reader that is gone by then has its answer all the same.
        let progress = AnswerProgress()
        pool.begin(accepted, onDelta: progress.add) { outcome in
            ticket.leave()
            progress.end(outcome)
        }
        return .eventStream { try await write(progress, of: accepted.job, to: $0, requestID: requestID) }
    }

    /// Stores the question, waits for the pool's answer and tells how it ended.
    private func answer(_ question: NewQuestion) async throws -> Response {
        let ticket = try admission.enter(userID: question.userID)
        defer { ticket.leave() }
        let accepted = try await accept(question)
        let answer = try await end(of: accepted.job, await pool.answer(accepted))
        return .json(.answer(answer, to: accepted.job))
    }

    private func accept(_ question: NewQuestion) async throws -> AcceptedQuestion {
        let accepted = try await database.acceptQuestion(
            question, owner: pool.owner, leaseSeconds: pool.settings.leaseSeconds)
        guard let accepted else { throw Problem(.conversationNotFound) }
        return accepted
    }

    /// The answer, wherever it was made; throws the problem that the question ended with.
    private func end(of job: ClaimedJob, _ outcome: AnswerOutcome) async throws -> StoredAnswer {
        switch outcome {
        case .answered(let answer): return answer
        case .failed(let failure): throw Problem(failure, questionID: job.questionID)
        case .handedOver:
            let standing = try await database.questionStanding(job.questionID)
            if let answer = standing?.answer { return answer }
            if let failure = standing?.failure { throw Problem(failure, questionID: job.questionID) }
            guard standing != nil else { throw Problem(.conversationNotFound) }
            throw Problem(
                .overloaded, detail: "The question is stored and will be answered; look at it again later.",
                extensions: ["user_message_id": .number(String(job.questionID))])
        }
    }

    /// The events of a streamed answer: `accepted`, any number of `delta`, and one `done` or `error`.
    private func write(
        _ progress: AnswerProgress, of job: ClaimedJob, to events: EventStreamWriter, requestID: String
    ) async throws {
        var events = events
        try await events.send("accepted") { json in
            json.member("user_message_id", job.questionID)
            json.member("message_id", job.answerID)
        }
        for await text in progress.texts {
            try await events.send("delta") { json in json.member("text", text) }
        }
        switch await ending(of: job, progress) {
        case .success(let answer): try await events.send("done", body: .answer(answer, to: job))
        case .failure(let problem): try await events.send("error", body: problem.body(requestID: requestID))
        }
    }

    /// Every end is an event, also one that is not known because PostgreSQL is away.
    private func ending(of job: ClaimedJob, _ progress: AnswerProgress) async -> Result<StoredAnswer, Problem> {
        do {
            return .success(try await end(of: job, await progress.outcome()))
        } catch let problem as Problem {
            return .failure(problem)
        } catch {
            return .failure(
                Problem(
                    .databaseUnavailable, extensions: ["user_message_id": .number(String(job.questionID))],
                    cause: "\(error)"))
        }
    }
}

extension ByteBuffer {
    fileprivate static func answer(_ answer: StoredAnswer, to job: ClaimedJob) -> ByteBuffer {
        .answer(answer, questionID: job.questionID, conversationID: job.conversationID)
    }

    /// The body of the contract's 200 answer of `POST /chat`, written by hand: it is hot.
    static func answer(_ answer: StoredAnswer, questionID: Int, conversationID: Int) -> ByteBuffer {
        var json = JSONWriter(capacity: 256 + answer.text.utf8.count)
        json.object { json in
            json.member("response", answer.text)
            json.member("message_id", answer.messageID)
            json.member("user_message_id", questionID)
            json.member("conversation_id", conversationID)
            json.member("status", "success")
            json.key("usage")
            json.document(answer.usage ?? "null")
        }
        return json.buffer
    }
}

extension Problem {
    /// The problem that a question ended with; its message carries the same code and sentence.
    init(_ failure: JobFailure, questionID: Int) {
        self.init(
            ProblemCode(rawValue: failure.code) ?? .internalError, detail: failure.detail,
            retryAfter: failure.retryAfter.map { Int(($0 / .seconds(1)).rounded(.up)) },
            extensions: ["user_message_id": .number(String(questionID))])
    }
}
