import Hummingbird
import Shared

/// `POST /chat`: a question, and its answer in the same exchange.
struct QuestionRoutes: Sendable {
    let database: PostgresDatabase
    let pool: JobPool
    let admission: Admission
    let fields: QuestionFields
    let keys: IdempotentAnswer
    let uploads: UploadRoutes

    func ask(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let exchange = QuestionExchange(
            mark: try IdempotencyMark(request.headers, call: .chat, userID: context.identity.userID),
            userID: context.identity.userID, isStreamed: request.acceptsEventStream, requestID: context.requestID)
        switch try request.bodyForm(allowing: [.json, .form, .multipart]) {
        case .multipart:
            return try await uploads.askWithFiles(request, context, exchange) { try await answer($0, exchange) }
        case .json, .form:
            var body = try await request.bodyFields(context, allowing: [.json, .form])
            return try await answer(try fields.draft(from: &body), exchange)
        }
    }

    private func answer(_ draft: QuestionDraft, _ exchange: QuestionExchange) async throws -> Response {
        let key = exchange.mark?.key(for: draft.payload)
        return try await keys.once(key) { known in
            try exchange.answer(again: known, try await database.standing(of: known), draft.conversationID)
        } first: {
            let question = try fields.question(from: draft, exchange.userID)
            if exchange.isStreamed { return try await stream(question, key, exchange) }
            return try await answer(question, key)
        }
    }

    private func stream(
        _ question: NewQuestion, _ key: IdempotencyKey?, _ exchange: QuestionExchange
    ) async throws -> Response {
        let ticket = try admission.enter(userID: question.userID)
        let accepted: AcceptedQuestion
        do {
            accepted = try await accept(question, key)
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
        let job = accepted.job
        return .eventStream { events in
            var events = events
            try await events.sendAccepted(questionID: job.questionID, answerID: job.answerID)
            async let _ = progress.ping(every: EventStreamWriter.pingInterval)
            for await text in progress.texts {
                if text.isEmpty {
                    try await events.sendPing()
                } else {
                    try await events.send("delta") { json in json.member("text", text) }
                }
            }
            let end = await end(of: job, await progress.outcome())
            try await events.send(
                end, questionID: job.questionID, conversationID: job.conversationID, requestID: exchange.requestID)
        }
    }

    /// Stores the question, waits for the pool's answer and tells how it ended.
    private func answer(_ question: NewQuestion, _ key: IdempotencyKey?) async throws -> Response {
        let ticket = try admission.enter(userID: question.userID)
        defer { ticket.leave() }
        let accepted = try await accept(question, key)
        let job = accepted.job
        let answer = try await end(of: job, await pool.answer(accepted)).get()
        return .json(.answer(answer, questionID: job.questionID, conversationID: job.conversationID))
    }

    private func accept(_ question: NewQuestion, _ key: IdempotencyKey?) async throws -> AcceptedQuestion {
        let accepted = try await database.acceptQuestion(
            question, owner: pool.owner, leaseSeconds: pool.settings.leaseSeconds, key: key)
        guard let accepted else { throw Problem(.conversationNotFound) }
        pool.events.announce(question.conversationID)
        return accepted
    }

    /// How the question ended, wherever it was answered; also that it is not known, because PostgreSQL is away.
    private func end(of job: ClaimedJob, _ outcome: AnswerOutcome) async -> QuestionEnd {
        switch outcome {
        case .answered(let answer): return .success(answer)
        case .failed(let failure): return .failure(Problem(failure, questionID: job.questionID))
        case .handedOver:
            do {
                guard let standing = try await database.questionStanding(job.questionID) else {
                    return .failure(Problem(.conversationNotFound))
                }
                return standing.end(questionID: job.questionID) ?? .failure(.answeredLater(questionID: job.questionID))
            } catch {
                return .failure(.endNotKnown(questionID: job.questionID, cause: error))
            }
        }
    }
}
