import Foundation
import Shared
import TestSupport

/// A suite under load, with what every benchmark needs.
struct BenchmarkSite: Sendable {
    let suite: Suite
    let user: SignedInUser
    let database: PostgresDatabase
    let folder: TemporaryFolder

    /// Runs `body` with one AuthService and one ChatService.
    static func run<R: Sendable>(
        _ plan: BenchmarkPlan, settings: [String: String] = [:], _ body: @Sendable (BenchmarkSite) async throws -> R
    ) async throws -> R {
        let defaults = [
            "LOG_LEVEL": "notice", "QUEUE_JOBS_PER_USER": "100000", "QUEUE_JOBS_MAX": "100000",
            "DATABASE_CONNECTIONS": "8",
        ]
        let all = defaults.merging(settings) { $1 }
        return try await withSuite(settings: all, binaries: plan.binaries) { suite in
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let database = PostgresDatabase(settings: PostgresSettings(url: suite.databaseURL), logger: .quiet)
            let user = try await suite.register()
            let result: Result<R, any Error>
            do {
                let site = BenchmarkSite(suite: suite, user: user, database: database, folder: folder)
                result = .success(try await body(site))
            } catch { result = .failure(error) }
            await database.close()
            return try result.get()
        }
    }

    /// A conversation of 50 messages of about 220 bytes, Russian and English.
    func longConversation() async throws -> Int {
        let id = try await user.newConversation()
        try await database.query(
            """
            with text as (
                select n, repeat('A sentence of a contract. ', 4) || repeat('Строка договора. ', 4) as content
                from generate_series(1, 25) n),
            question as (
                insert into chat.messages (conversation_id, role, status, content, created_at)
                select \(id), 'user', 'completed', content, clock_timestamp() + 2 * n * interval '1 microsecond'
                from text
                returning id, content, created_at)
            insert into chat.messages (conversation_id, role, status, content, reply_to, created_at)
            select \(id), 'assistant', 'completed', content, id, created_at + interval '1 microsecond' from question
            """)
        try await database.query("vacuum analyze chat.messages")
        return id
    }
}
