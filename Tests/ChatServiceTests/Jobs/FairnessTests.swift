import Foundation
import Shared
import Testing

@testable import ChatService

@Suite("Whose job is next")
struct FairnessTests {
    /// A waiting file of a user, whose conversation it makes.
    private func upload(_ count: Int, for user: Int, _ fixture: ChatFixture) async throws {
        let conversation = try await fixture.database.insertConversation(
            userID: user, title: "Files", businessContext: nil)
        for _ in 0..<count {
            let question = NewQuestion(
                conversationID: conversation.id, userID: user, content: "", domain: nil, fileCount: 1)
            _ = try await fixture.database.insertFileQuestion(question)
        }
    }

    private func users(_ count: Int, _ fixture: ChatFixture) async throws -> [Int] {
        try await fixture.database.query(
            """
            insert into auth.users (email, password_hash, name)
            select 'user' || n || '@example.org', '$argon2id$none', 'Somebody' from generate_series(1, \(count)) n
            returning id
            """
        ).map { try $0.decode(Int.self) }
    }

    /// Whose jobs the next claims give.
    private func claim(_ count: Int, _ fixture: ChatFixture) async throws -> [Int] {
        var owners: [Int] = []
        for _ in 0..<count {
            guard let job = try await fixture.claim(.recognize) else { break }
            owners.append(
                try await fixture.database.read("select user_id from chat.jobs where id = \(job.fence.jobID)")[0]
                    .decode(Int.self))
        }
        return owners
    }

    @Test func aHundredFilesOfOneUserDoNotDelayTheFirstOneOfAnother() async throws {
        try await ChatFixture.with { fixture in
            try await upload(100, for: fixture.userID, fixture)
            #expect(try await claim(3, fixture) == Array(repeating: fixture.userID, count: 3))
            try await upload(2, for: fixture.strangerID, fixture)
            // The first one goes before all that wait, the second in turn.
            let (mine, other) = (fixture.userID, fixture.strangerID)
            #expect(try await claim(4, fixture) == [other, mine, other, mine])
        }
    }

    @Test func firstFilesAreTakenInTheOrderOfTheirComing() async throws {
        try await ChatFixture.with { fixture in
            try await upload(5, for: fixture.userID, fixture)
            _ = try await claim(2, fixture)
            let newcomers = try await users(6, fixture)
            for user in newcomers { try await upload(1, for: user, fixture) }
            #expect(try await claim(7, fixture) == newcomers + [fixture.userID])
        }
    }

    @Test func manyUsersTakeTurns() async throws {
        try await ChatFixture.with { fixture in
            let users = try await users(4, fixture)
            for user in users { try await upload(5, for: user, fixture) }
            let owners = try await claim(20, fixture)
            for round in 0..<5 { #expect(Set(owners[(round * 4)..<(round * 4 + 4)]) == Set(users), "\(owners)") }
        }
    }

    @Test func whoComesBackAfterAPauseHasSavedNothingUp() async throws {
        try await ChatFixture.with { fixture in
            try await upload(1, for: fixture.strangerID, fixture)
            try await upload(20, for: fixture.userID, fixture)
            _ = try await claim(10, fixture)
            try await upload(10, for: fixture.strangerID, fixture)
            let (mine, other) = (fixture.userID, fixture.strangerID)
            #expect(try await claim(6, fixture) == [mine, other, mine, other, mine, other])
        }
    }

    @Test func aStageHasItsOwnTurns() async throws {
        try await ChatFixture.with { fixture in
            try await upload(3, for: fixture.userID, fixture)
            for _ in 0..<3 {
                let job = try #require(try await fixture.claim(.recognize))
                #expect(try await fixture.database.storeRecognizedText("text", fence: job.fence))
            }
            let first = try #require(try await fixture.claim(.answer))
            try await upload(1, for: fixture.strangerID, fixture)
            let theirs = try #require(try await fixture.claim(.recognize))
            #expect(try await fixture.database.storeRecognizedText("text", fence: theirs.fence))
            #expect(try await fixture.claim(.answer)?.fence.jobID == theirs.fence.jobID)
            #expect(first.fence.jobID != theirs.fence.jobID)
        }
    }

    /// Deep queues cost a claim no more than short ones: what it reads is asked of the server, not timed.
    @Test func aClaimReadsTheIndexAndNotTheQueue() async throws {
        try await ChatFixture.with { fixture in
            try await fixture.fillQueue(jobs: 20_000)
            let plan = try await fixture.database.query(
                """
                explain (analyze, buffers, format text)
                select id from chat.jobs
                where stage = 'recognize' and run_after <= clock_timestamp()
                    and (lease_until is null or lease_until < clock_timestamp())
                order by turn, id limit 1 for update skip locked
                """
            ).map { row -> String in try row.decode(String.self) }.joined(separator: "\n")
            #expect(plan.contains("Index Scan using jobs_by_turn"), "\(plan)")
            #expect(!plan.contains("Sort"), "\(plan)")
            let turn = try await fixture.database.query(
                """
                explain (analyze, format text)
                select \(sql: JobTurn.next(stage: "'recognize'", user: "\(fixture.strangerID)"))
                """
            ).map { row -> String in try row.decode(String.self) }.joined(separator: "\n")
            #expect(turn.contains("Index Scan using jobs_by_turn"), "\(turn)")
            #expect(!turn.contains("Seq Scan on jobs"), "\(turn)")
        }
    }
}

extension ChatFixture {
    /// Waiting jobs without files, for looking at the queue alone.
    func fillQueue(jobs: Int, stage: JobStage = .recognize) async throws {
        try await database.query(
            """
            with question as (
                insert into chat.messages (conversation_id, role, status, content)
                select \(conversationID), 'user', 'processing', '' from generate_series(1, \(jobs)) returning id)
            insert into chat.jobs (subject_id, question_id, answer_id, conversation_id, user_id, stage, turn)
            select id, id, nextval('chat.messages_id_seq'), \(conversationID), \(userID), \(stage.rawValue), id * 2
            from question
            """)
        try await database.query("analyze chat.jobs")
    }
}
