import NIOCore
import Shared

/// Answers a request once, however often it comes with the same `Idempotency-Key`.
///
/// The key is stored by the work itself, in its statement or transaction, so either both are there or neither: a
/// request that died before its commit, or was refused with 429 or 503, leaves its key free.
struct IdempotentAnswer: Sendable {
    let database: PostgresDatabase

    /// - Parameters:
    ///   - key: nil: every request is the first.
    ///   - replay: makes the first answer again from what the key stands for.
    ///   - first: does the work and stores the key with it.
    /// - Throws: 422 `idempotency_key_reused` for another payload; the first answer again when it was a problem.
    func once<Answer>(
        _ key: IdempotencyKey?, isolation: isolated (any Actor)? = #isolation,
        replay: (KnownAnswer) async throws -> Answer, first: () async throws -> Answer
    ) async throws -> Answer {
        guard let key else { return try await first() }
        if let known = try await known(key) { return try await replay(known) }
        do {
            return try await first()
        } catch let error as PostgresError where error.isIdempotencyConflict {
            // The winner has committed: the constraint is only broken by rows that are there.
            guard let known = try await known(key) else { throw Problem(.idempotencyInProgress) }
            return try await replay(known)
        } catch let problem as Problem where problem.isFinal {
            await remember(problem, key)
            throw problem
        }
    }

    private func known(_ key: IdempotencyKey) async throws -> KnownAnswer? {
        switch try await database.standing(of: key) {
        case .unused: return nil
        case .reused: throw Problem(.idempotencyKeyReused)
        case .known(let answer):
            if let status = answer.status, status >= 400, let problem = answer.body.flatMap(Problem.init(stored:)) {
                throw problem
            }
            return answer
        }
    }

    /// A refusal that would be the same again; so nothing is lost if it cannot be kept. A key that has a question
    /// already keeps it: the insert breaks the constraint then.
    private func remember(_ problem: Problem, _ key: IdempotencyKey) async {
        let body = Array(problem.body(requestID: "").readableBytesView)
        try? await database.insertKey(key, status: problem.code.status, body: body, conversationID: nil)
    }
}

extension Problem {
    /// Whether the same request would be refused again: what it asks for is not acceptable, or is not there.
    fileprivate var isFinal: Bool { code.status == 422 || code.status == 404 }

    /// A problem as `body(requestID:)` wrote it, but for the id of its request; nil when the document is none.
    init?(stored document: [UInt8]) {
        guard case .object(let object)? = try? JSONParser.parse(ByteBuffer(bytes: document)),
            let code = object["code"]?.asString.flatMap(ProblemCode.init(rawValue:)),
            object["type"]?.asString == code.type
        else { return nil }
        var errors: [FieldError] = []
        if case .array(let elements)? = object["errors"] {
            errors = elements.compactMap { element in
                guard case .object(let error) = element, let field = error["field"]?.asString,
                    let detail = error["detail"]?.asString
                else { return nil }
                return FieldError(field, detail)
            }
        }
        self.init(code, detail: object["detail"]?.asString, errors: errors)
    }
}
