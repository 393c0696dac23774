import Hummingbird
import Shared

/// `GET /search`: the user's own messages by their words.
struct SearchRoutes: Sendable {
    let database: PostgresDatabase

    private static let wordsCharactersMax = 200

    func search(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        let query = PageQuery(request)
        let limit = try query.int("limit", default: 20, in: 1...50)
        let cursor = try query.cursor()
        let words = try Self.words(of: request)
        let found = try await database.search(
            words, userID: context.identity.userID, after: cursor, limit: limit + 1)
        let page = found.prefix(limit)
        let next = found.count > limit ? page.last.map { PageCursor(time: $0.createdAt, id: $0.messageID) } : nil
        var json = JSONWriter(capacity: 64 + page.count * 512)
        json.object { json in
            json.member("hits", array: page) { json, hit in json.hit(hit) }
            json.member("next_cursor", next?.text)
        }
        return .json(json.buffer)
    }

    /// Anything is a search, also what has no word in it: that finds nothing. PostgreSQL takes no NUL.
    private static func words(of request: Request) throws(Problem) -> String {
        guard let words = text(of: "q", in: request.uri.query ?? "")?.replacing("\0", with: " ") else {
            throw Problem(.invalidQuery, errors: [.init("q", "is missing")])
        }
        guard !words.allSatisfy(\.isWhitespace) else {
            throw Problem(.emptySearch, errors: [.init("q", "must not be empty")])
        }
        guard words.unicodeScalars.count <= wordsCharactersMax else {
            throw Problem(.outOfRange, errors: [.init("q", "must have at most \(wordsCharactersMax) characters")])
        }
        return words
    }

    /// A parameter as forms write it: a plus is a blank (WHATWG URL, section 5.1), and what is not UTF-8 is replaced.
    private static func text(of name: String, in query: String) -> String? {
        for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, String(parts[0]) == name else { continue }
            var bytes: [UInt8] = []
            var rest = parts[1][...]
            while let byte = rest.popFirst() {
                let digits = rest.prefix(2)
                if byte == UInt8(ascii: "%"), digits.count == 2, let value = UInt8(String(digits) ?? "", radix: 16) {
                    bytes.append(value)
                    rest = rest.dropFirst(2)
                } else {
                    bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        return nil
    }
}

extension JSONWriter {
    fileprivate mutating func hit(_ hit: SearchHit) {
        object { json in
            json.member("conversation_id", hit.conversationID)
            json.member("message_id", hit.messageID)
            json.member("timestamp", hit.createdAt.rfc3339)
            json.member("snippet", hit.snippet.text)
            json.member("matches", array: hit.snippet.matches) { json, match in
                json.object { json in
                    json.member("offset", match.offset)
                    json.member("length", match.length)
                }
            }
        }
    }
}
