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
        switch try request.bodyForm(allowing: [.json, .form, .multipart]) {
        case .multipart:
            return try await uploads.askWithFiles(request, context, plain: answer)
        case .json, .form:
            var body = try await request.bodyFields(context, allowing: [.json, .form])
            let question = try fields.question(from: &body, context.identity.userID)
            return try await answer(question)
        }
    }

    /// Stores the question, waits for the pool's answer and tells how it ended.
    private func answer(_ question: NewQuestion) async throws -> Response {
        try await admission.admit(userID: question.userID) {
            let accepted = try await database.acceptQuestion(
                question, owner: pool.owner, leaseSeconds: pool.settings.leaseSeconds)
            guard let accepted else { throw Problem(.conversationNotFound) }
            let outcome = await pool.answer(accepted)
            return try await response(to: accepted.job, outcome)
        }
    }

    private func response(to job: ClaimedJob, _ outcome: AnswerOutcome) async throws -> Response {
        switch outcome {
        case .answered(let answer): return .answer(answer, to: job)
        case .failed(let failure): throw Problem(failure, questionID: job.questionID)
        case .handedOver:
            let standing = try await database.questionStanding(job.questionID)
            if let answer = standing?.answer { return .answer(answer, to: job) }
            if let failure = standing?.failure { throw Problem(failure, questionID: job.questionID) }
            guard standing != nil else { throw Problem(.conversationNotFound) }
            throw Problem(
                .overloaded, detail: "The question is stored and will be answered; look at it again later.",
                extensions: ["user_message_id": .number(String(job.questionID))])
        }
    }
}

extension Response {
    fileprivate static func answer(_ answer: StoredAnswer, to job: ClaimedJob) -> Response {
        .answer(answer, questionID: job.questionID, conversationID: job.conversationID)
    }

    /// The contract's 200 answer of `POST /chat`, written by hand: it is hot.
    static func answer(_ answer: StoredAnswer, questionID: Int, conversationID: Int) -> Response {
        var json = JSONWriter(capacity: 256 + answer.text.utf8.count)
        json.object { json in
            json.member("response", answer.text)
            json.member("message_id", answer.messageID)
            json.member("user_message_id", questionID)
            json.member("conversation_id", conversationID)
            json.member("status", "success")
            json.key("usage")
            json.raw { $0.writeString(answer.usage ?? "null") }
        }
        return .json(json.buffer)
    }
}

extension Problem {
    /// The problem that a question ended with; its message carries the same code and sentence.
    init(_ failure: JobFailure, questionID: Int) {
        self.init(
            ProblemCode(rawValue: failure.code) ?? .internalError, detail: failure.detail,
            extensions: ["user_message_id": .number(String(questionID))])
    }
}
