import HTTPTypes
import Shared

/// The calls that take an `Idempotency-Key`; a key counts for one user and one of these.
enum IdempotentCall: String, Sendable {
    case chat = "/chat"
    case chatFile = "/chat/file"
    case conversations = "/conversations"
}

/// A key as it came with a request, before the payload it stands for is known.
struct IdempotencyMark: Sendable {
    let call: IdempotentCall
    let userID: Int
    let text: String

    /// Reads the header field; nil when there is none, 400 `invalid_idempotency_key` unless it is given once and has 1
    /// to 255 visible ASCII characters.
    init?(_ headers: HTTPFields, call: IdempotentCall, userID: Int) throws(Problem) {
        let values = headers[values: .idempotencyKey]
        guard let text = values.first else { return nil }
        guard values.count == 1, (1...255).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw Problem(.invalidIdempotencyKey) }
        (self.call, self.userID, self.text) = (call, userID, text)
    }

    /// The key with what it was sent for.
    func key(for payload: PayloadFingerprint) -> IdempotencyKey { IdempotencyKey(mark: self, payload: payload) }
}

/// A key and the payload it was sent with: the same again is a repetition, another payload is a mistake.
struct IdempotencyKey: Sendable {
    let mark: IdempotencyMark
    let payload: PayloadFingerprint

    /// How long a key is remembered.
    static let keptHours = 24
}
