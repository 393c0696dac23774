import Shared

/// Reads and checks the fields that `POST /chat` and `POST /chat/file` share.
struct QuestionFields: Sendable {
    let domains: Domains

    static let messageCharactersMax = 10_000

    /// A plain question: its message is required.
    func question(from body: inout BodyFields, _ userID: Int) throws -> NewQuestion {
        let conversationID = body.int("conversation_id")
        let message = body.string("message")
        let domain = body.optionalString("domain")
        try body.finish()
        return NewQuestion(
            conversationID: conversationID, userID: userID, content: try checkedMessage(message),
            domain: try checkedDomain(domain), fileCount: 0)
    }

    /// A question with files: the message may be missing or blank.
    func question(from body: inout BodyFields, _ userID: Int, fileCount: Int) throws -> NewQuestion {
        let conversationID = body.int("conversation_id")
        let message = body.optionalString("message") ?? ""
        let domain = body.optionalString("domain")
        try body.finish()
        return NewQuestion(
            conversationID: conversationID, userID: userID,
            content: message.allSatisfy(\.isWhitespace) ? "" : try checkedMessage(message),
            domain: try checkedDomain(domain), fileCount: fileCount)
    }

    private func checkedMessage(_ message: String) throws(Problem) -> String {
        guard !message.allSatisfy(\.isWhitespace) else {
            throw Problem(.emptyMessage, errors: [.init("message", "must not be empty")])
        }
        guard message.unicodeScalars.count <= Self.messageCharactersMax else {
            throw Problem(
                .messageTooLong, errors: [.init("message", "must have at most \(Self.messageCharactersMax) characters")]
            )
        }
        return message
    }

    private func checkedDomain(_ domain: String?) throws(Problem) -> String? {
        guard let domain, !domain.isEmpty else { return nil }
        guard domains[domain] != nil else {
            throw Problem(.unknownDomain, errors: [.init("domain", "is not one of GET /domains")])
        }
        return domain
    }
}
