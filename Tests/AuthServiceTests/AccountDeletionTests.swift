import Shared
import TestSupport
import Testing

@testable import AuthService

@Suite("Deleting an account whose work runs")
struct AccountDeletionTests {
    /// A holder in ChatService locks its job and then the conversation; the deletion comes the other way.
    @Test("is done also after a deadlock with a holder that writes", .timeLimit(.minutes(5)))
    func deadlock() async throws {
        try await withTestDatabase(migrated: true) { database, url in
            // The deletion looks for a deadlock first, and not before there is one.
            try await AuthSite.run(on: url + "?options=-cdeadlock_timeout%3D5s") { site in
                let one = try await site.register()
                let conversation = try await conversationAtWork(database)
                try await database.deadlock(
                    first: "update chat.jobs set spared = 1",
                    second: "update chat.conversations set changes = changes + 1 where id = \(conversation)"
                ) {
                    let deleted = try await site.send(
                        .delete, "/api/account", ["password": AuthSite.password], token: one.token)
                    #expect(deleted.status == 204)
                }
                for table in ["auth.users", "chat.conversations", "chat.jobs", "chat.deltas"] {
                    #expect(try await site.count("select count(*) from \(unsafeRaw: table)") == 0, "\(table)")
                }
                #expect(try await site.auditEvents() == ["registered", "account_deleted"])
            }
        }
    }

    /// Gives the only user a conversation with a question and a piece of its answer. Returns the conversation's id.
    private func conversationAtWork(_ database: PostgresDatabase) async throws -> Int {
        let id = try await database.value(
            querying: "insert into chat.conversations (user_id, title) select id, 'Talk' from auth.users returning id",
            Int.self)
        let question = try await database.value(
            querying: """
                insert into chat.messages (conversation_id, role, status, content)
                values (\(id), 'user', 'processing', 'Why?') returning id
                """, Int.self)
        try await database.query(
            """
            with job as (
                insert into chat.jobs (subject_id, question_id, answer_id, conversation_id, user_id, stage)
                select \(question), \(question), nextval('chat.messages_id_seq'), \(id), id, 'answer' from auth.users
                returning id, answer_id)
            insert into chat.deltas (conversation_id, message_id, attempt, position, question_id, job_id, text)
            select \(id), answer_id, 1, 0, \(question), id, 'Because' from job
            """)
        return id
    }
}
