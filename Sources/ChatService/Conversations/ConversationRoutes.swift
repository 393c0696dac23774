import Hummingbird
import NIOCore
import Shared

/// `POST` and `GET /conversations`; `GET`, `PATCH` and `DELETE /conversations/{id}`.
struct ConversationRoutes: Sendable {
    let database: PostgresDatabase
    let keys: IdempotentAnswer
    let events: EventHub

    static let businessContextCharactersMax = 10_000

    func create(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let userID = context.identity.userID
        let mark = try IdempotencyMark(request.headers, call: .conversations, userID: userID)
        var fields = try await request.bodyFields(context)
        let title = fields.optionalString("title")
        let businessContext = fields.optionalString("business_context")
        try fields.finish()
        let key = mark?.key(
            for: PayloadFingerprint([title.map { Array($0.utf8) }, businessContext.map { Array($0.utf8) }]))
        return try await keys.once(key) { known in
            guard let id = known.conversationID, let body = known.body else { throw Problem(.conversationNotFound) }
            return Self.created(id, ByteBuffer(bytes: body))
        } first: {
            let conversation = try await store(title: title, businessContext: businessContext, userID: userID, key)
            return Self.created(conversation.id, conversation.json)
        }
    }

    /// Stores the conversation and, in the same transaction, the key with the answer.
    private func store(
        title: String?, businessContext: String?, userID: Int, _ key: IdempotencyKey?
    ) async throws -> Conversation {
        let title = try title.flatMap { $0.allSatisfy(\.isWhitespace) ? nil : $0 }.map(checkedTitle)
        let businessContext = try checkedContext(businessContext)
        return try await knownUser {
            guard let key else {
                return try await database.insertConversation(
                    userID: userID, title: title ?? ConversationTitle.byDefault, businessContext: businessContext)
            }
            return try await database.withTransaction { transaction in
                try await transaction.lock(key.mark)
                let conversation = try await transaction.insertConversation(
                    userID: userID, title: title ?? ConversationTitle.byDefault, businessContext: businessContext)
                try await transaction.insertKey(
                    key, status: 201, body: Array(conversation.json.readableBytesView),
                    conversationID: conversation.id)
                return conversation
            }
        }
    }

    private static func created(_ id: Int, _ body: ByteBuffer) -> Response {
        .json(body, status: .created, headers: [.location: "/conversations/\(id)"])
    }

    func list(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let query = PageQuery(request)
        let limit = try query.int("limit", default: 50, in: 1...100)
        let offset = try query.int("offset", default: 0, in: 0...Int.max)
        let cursor = try query.cursor()
        let userID = context.identity.userID
        async let total = database.countConversations(userID: userID)
        let found = try await database.conversations(
            userID: userID, after: cursor, offset: offset, limit: limit + 1)
        let page = found.prefix(limit)
        let next = found.count > limit ? page.last.map { PageCursor(time: $0.updatedAt, id: $0.id).text } : nil
        let count = try await total
        var json = JSONWriter(capacity: 512 + page.count * 256)
        json.object { json in
            json.member("conversations", array: page) { json, conversation in json.conversation(conversation) }
            json.member("total", count)
            json.member("next_cursor", next)
        }
        return .json(json.buffer)
    }

    func get(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        guard
            let conversation = try await database.conversation(
                try context.id("id"), userID: context.identity.userID)
        else { throw Problem(.conversationNotFound) }
        return .json(conversation.json)
    }

    func update(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let id = try context.id("id")
        var fields = try await request.bodyFields(context)
        let title = fields.optionalString("title")
        let businessContext = fields.optionalString("business_context")
        let setsContext = fields.has("business_context")
        try fields.finish()
        let conversation = try await database.updateConversation(
            id, userID: context.identity.userID, title: try title.map(checkedTitle),
            businessContext: setsContext ? .some(try checkedContext(businessContext)) : nil)
        guard let conversation else { throw Problem(.conversationNotFound) }
        events.announce(id)
        return .json(conversation.json)
    }

    func delete(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let id = try context.id("id")
        let isDeleted = try await database.deleteConversation(id, userID: context.identity.userID)
        guard isDeleted else { throw Problem(.conversationNotFound) }
        events.announce(id)
        return .noContent
    }

    private func checkedTitle(_ title: String) throws(Problem) -> String {
        let trimmed = title.trimmingWhitespace
        let hasControl = trimmed.unicodeScalars.contains { $0.properties.generalCategory == .control }
        guard !trimmed.isEmpty, !hasControl, trimmed.unicodeScalars.count <= ConversationTitle.charactersMax else {
            throw Problem(.invalidTitle, errors: [.init("title", ProblemCode.invalidTitle.detail)])
        }
        return trimmed
    }

    private func checkedContext(_ context: String?) throws(Problem) -> String? {
        guard (context?.unicodeScalars.count ?? 0) <= Self.businessContextCharactersMax else {
            throw Problem(.invalidBusinessContext, errors: [.init("business_context", "is too long")])
        }
        return context
    }

    /// A token outlives its user by a moment; the foreign key notices.
    private func knownUser<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as PostgresError where error.violatedConstraint == "conversations_user_exists" {
            throw Problem(.invalidToken)
        }
    }
}

extension JSONWriter {
    /// Writes the contract's conversation object.
    mutating func conversation(_ conversation: Conversation) {
        object { json in
            json.member("conversation_id", conversation.id)
            json.member("title", conversation.title)
            json.member("business_context", conversation.businessContext)
            json.member("created_at", conversation.createdAt.rfc3339)
            json.member("updated_at", conversation.updatedAt.rfc3339)
            json.member("user_id", conversation.userID)
            json.member("messages_count", conversation.messagesCount)
        }
    }
}

extension Conversation {
    fileprivate var json: ByteBuffer {
        var json = JSONWriter()
        json.conversation(self)
        return json.buffer
    }
}

extension String {
    /// Without white space at either end.
    var trimmingWhitespace: String {
        let start = drop(while: \.isWhitespace)
        let count = start.reversed().drop(while: \.isWhitespace).count
        return String(start.prefix(count))
    }
}
