import Shared
import TestSupport

/// What the database holds when everything has come to rest.
struct FinalState: Sendable {
    let messages: [StoredMessage]
    /// Rows that must not be left: `chat.jobs: 2`.
    let leftovers: [String]

    static func read(_ database: PostgresDatabase) async throws -> FinalState {
        let messages = try await database.query(
            """
            select id, role, status, content, reply_to, generation, error_code,
                extract(epoch from created_at)::float8
            from chat.messages order by id
            """
        ).map { row in
            let (id, role, status, content, replyTo, generation, code, time) = try row.decode(
                Int.self, String.self, String.self, String.self, Int?.self, Int.self, String?.self, Double.self)
            return StoredMessage(
                id: id, isQuestion: role == "user", status: status, content: content, replyTo: replyTo,
                generation: generation, errorCode: code, createdAt: time)
        }
        var leftovers: [String] = []
        for table in ["jobs", "upload_chunks", "pages"] {
            let count = try await database.value(
                querying: "select count(*) from chat.\(unsafeRaw: table)", Int.self)
            if count > 0 { leftovers.append("chat.\(table): \(count) rows left") }
        }
        return FinalState(messages: messages, leftovers: leftovers)
    }

    /// Waits until no work is left.
    /// - Returns: how many jobs were left at the end of the wait.
    static func drain(_ database: PostgresDatabase, atMost limit: Duration) async throws -> Int {
        let end = ContinuousClock.now + limit
        var left = 0
        repeat {
            left = try await database.value(querying: "select count(*) from chat.jobs", Int.self)
            if left == 0 { return 0 }
            try await Task.sleep(for: .milliseconds(200))
        } while ContinuousClock.now < end
        return left
    }
}
