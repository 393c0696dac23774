import Shared

/// A question as it was read, not yet judged.
struct QuestionDraft: Sendable {
    let conversationID: Int
    let message: String
    let domain: String
    let files: [SpooledFile]

    /// What a repetition of it must be like.
    var payload: PayloadFingerprint {
        let fields = [String(conversationID), message, domain].map { Array($0.utf8) }
        return PayloadFingerprint(fields + files.flatMap { [Array($0.name.utf8), $0.sha256] })
    }
}

/// Reads and checks the fields that `POST /chat` and `POST /chat/file` share.
struct QuestionFields: Sendable {
    let domains: Domains

    static let messageCharactersMax = 10_000

    /// Reads the fields; 400 `invalid_body` for what cannot be read. The message is required when no file comes along.
    func draft(from body: inout BodyFields, files: [SpooledFile] = []) throws -> QuestionDraft {
        let conversationID = body.int("conversation_id")
        let message = files.isEmpty ? body.string("message") : body.optionalString("message") ?? ""
        let domain = body.optionalString("domain") ?? ""
        try body.finish()
        return QuestionDraft(conversationID: conversationID, message: message, domain: domain, files: files)
    }

    /// Judges what was read: 422 for what is not acceptable. With files the message may be blank.
    func question(from draft: QuestionDraft, _ userID: Int) throws(Problem) -> NewQuestion {
        let isBlank = draft.message.allSatisfy(\.isWhitespace)
        return NewQuestion(
            conversationID: draft.conversationID, userID: userID,
            content: isBlank && !draft.files.isEmpty ? "" : try checkedMessage(draft.message),
            domain: try checkedDomain(draft.domain), fileCount: draft.files.count)
    }

    private func checkedMessage(_ message: String) throws(Problem) -> String {
        guard !message.allSatisfy(\.isWhitespace) else {
            throw Problem(.emptyMessage, errors: [.init("message", "must not be empty")])
        }
        guard message.unicodeScalars.count <= Self.messageCharactersMax else { throw .messageTooLong }
        return message
    }

    private func checkedDomain(_ domain: String) throws(Problem) -> String? {
        guard !domain.isEmpty else { return nil }
        guard domains[domain] != nil else {
            throw Problem(.unknownDomain, errors: [.init("domain", "is not one of GET /domains")])
        }
        return domain
    }
}

extension Problem {
    /// A question of more characters than one may have.
    static var messageTooLong: Problem {
        let bound = "must have at most \(QuestionFields.messageCharactersMax) characters"
        return Problem(.messageTooLong, errors: [.init("message", bound)])
    }
}
