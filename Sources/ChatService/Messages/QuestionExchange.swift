import Hummingbird
import NIOCore
import Shared

/// How a question ended: with an answer, or with the problem that its message tells of.
typealias QuestionEnd = Result<StoredAnswer, Problem>

/// What one `POST /chat` wants of its answer, whatever the question is.
struct QuestionExchange: Sendable {
    let mark: IdempotencyMark?
    let userID: Int
    /// The client asked for events instead of one document.
    let isStreamed: Bool
    let requestID: String

    /// The answer to a repetition, from the rows of the question that the first request has left.
    ///
    /// - Throws: 409 `idempotency_in_progress` while the question is worked on, by whichever replica.
    func answer(
        again known: KnownAnswer, _ standing: QuestionStanding?, _ conversationID: Int
    ) throws -> Response {
        guard let questionID = known.questionID, let standing else { throw Problem(.conversationNotFound) }
        if known.status == 202 { return .acceptedUpload(questionID: questionID, conversationID: conversationID) }
        guard let end = standing.end(questionID: questionID) else {
            throw Problem(.idempotencyInProgress, extensions: ["user_message_id": .int(questionID)])
        }
        guard isStreamed else {
            return .json(.answer(try end.get(), questionID: questionID, conversationID: conversationID))
        }
        return .eventStream { events in
            var events = events
            try await events.sendAccepted(questionID: questionID, answerID: standing.answer?.messageID)
            try await events.send(
                end, questionID: questionID, conversationID: conversationID, requestID: requestID)
        }
    }
}

extension PostgresQuerying {
    /// How the question stands that a key was used for.
    func standing(of known: KnownAnswer) async throws -> QuestionStanding? {
        guard let questionID = known.questionID else { return nil }
        return try await questionStanding(questionID)
    }
}

extension QuestionStanding {
    /// Nil while the question is worked on.
    func end(questionID: Int) -> QuestionEnd? {
        if let answer { return .success(answer) }
        return failure.map { .failure(Problem($0, questionID: questionID)) }
    }
}

extension EventStreamWriter {
    /// The first event of a streamed answer. The id of the answer is not known any more when a question that failed is
    /// told of again.
    mutating func sendAccepted(questionID: Int, answerID: Int?) async throws {
        try await send("accepted") { json in
            json.member("user_message_id", questionID)
            json.member("message_id", answerID)
        }
    }

    /// The last event of a streamed answer: `done` with the body of the 200 answer, or `error` with a problem.
    mutating func send(
        _ end: QuestionEnd, questionID: Int, conversationID: Int, requestID: String
    ) async throws {
        switch end {
        case .success(let answer):
            try await send("done", body: .answer(answer, questionID: questionID, conversationID: conversationID))
        case .failure(let problem): try await send("error", body: problem.body(requestID: requestID))
        }
    }
}

extension Response {
    /// The contract's 202 answer to files.
    static func acceptedUpload(questionID: Int, conversationID: Int) -> Response {
        var json = JSONWriter(capacity: 128)
        json.object { json in
            json.member("message_id", questionID)
            json.member("conversation_id", conversationID)
            json.member("status", "processing")
        }
        return .json(
            json.buffer, status: .accepted, headers: [.location: "/messages/\(questionID)", .retryAfter: "1"])
    }
}

extension ByteBuffer {
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
            extensions: ["user_message_id": .int(questionID)])
    }

    /// The work was given back; it is not lost, but it is not done by this replica.
    static func answeredLater(questionID: Int) -> Problem {
        Problem(
            .overloaded, detail: "The question is stored and will be answered; look at it again later.",
            extensions: ["user_message_id": .int(questionID)])
    }

    /// PostgreSQL is away just when the end of a stored question is asked for.
    static func endNotKnown(questionID: Int, cause: any Error) -> Problem {
        Problem(.databaseUnavailable, extensions: ["user_message_id": .int(questionID)], cause: "\(cause)")
    }
}
