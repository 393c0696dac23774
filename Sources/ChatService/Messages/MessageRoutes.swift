import Hummingbird
import Shared

/// `GET /conversations/{id}/messages`, `GET /messages/{id}`, and `POST /messages/{id}/cancel`, `/retry`, `/regenerate`.
struct MessageRoutes: Sendable {
    let database: PostgresDatabase
    let pool: JobPool
    let admission: Admission

    /// A page of the history by (`created_at`, `id`).
    func list(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let query = PageQuery(request)
        let id = try context.id("id")
        let limit = try query.int("limit", default: 100, in: 1...200)
        let order = try query.order()
        let page = try await database.messages(
            inConversation: id, userID: context.identity.userID, after: try query.cursor(), order: order, limit: limit)
        guard let page else { throw Problem(.conversationNotFound) }
        var json = JSONWriter(capacity: 512 + page.rows.count * 512)
        json.object { json in
            json.member("conversation_id", id)
            json.member("messages", array: page.rows) { json, row in json.message(row) }
            json.member("next_cursor", page.next?.text)
        }
        return .conditionalJSON(json.buffer, for: request)
    }

    func get(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        .conditionalJSON(try await body(ofMessage: try context.id("id"), context).buffer, for: request)
    }

    func cancel(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let id = try context.id("id")
        // What the model has said up to now is a part of the answer, also where it is written down only now and then.
        await pool.answering.deltas.flush()
        let outcome = try await database.cancelMessage(id, userID: context.identity.userID) {
            pool.answering.usage(ofStopped: $0, in: $1)
        }
        switch outcome {
        case .absent: throw Problem(.messageNotFound)
        case .refused: throw Problem(.alreadyFinal)
        case .done(let messageID, let jobID, let conversationID):
            pool.events.announce(conversationID)
            await pool.announceStop(jobID: jobID)
            return .json(try await body(ofMessage: messageID, context).buffer, status: .accepted)
        }
    }

    func retry(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let id = try context.id("id")
        try admission.check(waiting: try await database.countUnfinishedJobs(userID: context.identity.userID))
        return try await started(
            try await database.retryMessage(id, userID: context.identity.userID), refusal: .notRetryable, context)
    }

    func regenerate(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let id = try context.id("id")
        try admission.check(waiting: try await database.countUnfinishedJobs(userID: context.identity.userID))
        return try await started(
            try await database.regenerateMessage(id, userID: context.identity.userID), refusal: .notRegenerable,
            context)
    }

    private func started(
        _ outcome: MessageActionOutcome, refusal: ProblemCode, _ context: AuthenticatedContext
    ) async throws -> Response {
        switch outcome {
        case .absent: throw Problem(.messageNotFound)
        case .refused: throw Problem(refusal)
        case .done(let messageID, _, let conversationID):
            pool.events.announce(conversationID)
            let body = try await body(ofMessage: messageID, context)
            await pool.announce(.recognize)
            await pool.announce(.answer)
            return .json(body.buffer, status: .accepted)
        }
    }

    private func body(ofMessage id: Int, _ context: AuthenticatedContext) async throws -> JSONWriter {
        guard let row = try await database.message(id, userID: context.identity.userID) else {
            throw Problem(.messageNotFound)
        }
        var json = JSONWriter()
        json.message(row)
        return json
    }
}
