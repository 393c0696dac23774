import Foundation
import Shared
import TestSupport

/// How quick the queue is: to a claim, to a takeover, and through jobs that cost nothing.
enum QueueBenchmark {
    private static let leaseSeconds = 5.0

    /// From the 202 of an upload to its claim, nothing else being there to do.
    @Sendable static func claims(_ plan: BenchmarkPlan) async throws -> [Figure] {
        try await BenchmarkSite.run(plan) { site in
            let claims = try await ClaimTimes.record(site.database)
            let id = try await site.user.newConversation()
            var waits: [Double] = []
            for _ in 0..<(plan.isQuick ? 3 : 200) {
                let message = try await site.user.upload([Fixture("documents/note_utf8.txt")], to: id)
                let accepted = Date().timeIntervalSince1970
                // A claim before the client has read the 202 took no time.
                waits.append(max(0, try await claims.claim(of: message) - accepted) * 1000)
                _ = try await site.user.finalMessage(message)
            }
            let slowest = Percentiles(waits).at(0.99)
            return [.absolute("202 to claim, idle: 99th percentile", slowest, unit: "ms", atMost: 50)]
        }
    }

    /// From the `kill -9` of the replica that holds a question to the claim by another.
    @Sendable static func takeover(_ plan: BenchmarkPlan) async throws -> [Figure] {
        try await ScriptedModelServer.run({ number, _ in number % 2 == 0 ? [.hang] : ScriptedModelServer.answer("Yes.")
        }) { model in
            let settings = model.settings.merging(["LEASE_SECONDS": "\(Int(leaseSeconds))"]) { $1 }
            return try await BenchmarkSite.run(plan, settings: settings) { site in
                let claims = try await ClaimTimes.record(site.database)
                let keeper = try await site.suite.start(.chat)
                var slowest = 0.0
                for round in 1...(plan.isQuick ? 1 : 5) {
                    let victim = try await site.suite.start(.chat)
                    let id = try await site.user.newConversation("Round \(round)")
                    let body: JSON = ["conversation_id": .number(Double(id)), "message": "Is it so?"]
                    let asked = Task { try await site.user.at(victim).post("/chat", body) }
                    await model.waitForRequests(round * 2 - 1)
                    let killed = Date().timeIntervalSince1970
                    try await victim.process.kill()
                    _ = try? await asked.value
                    let history = try await site.user.at(keeper).get("/conversations/\(id)/messages").json
                    let question = try history["messages"][0]["id"].int.orThrow("question in \(history)")
                    slowest = max(slowest, try await claims.claim(of: question, after: killed) - killed)
                    _ = try await site.user.finalMessage(question, at: site.user.at(keeper))
                }
                let what = "takeover after kill -9, LEASE_SECONDS=\(Int(leaseSeconds)): slowest"
                return [.absolute(what, slowest, unit: "s", atMost: leaseSeconds + 5)]
            }
        }
    }

    /// Jobs as near to nothing as there are: questions without a history that the offline model answers at once, put
    /// into the queue all together.
    @Sendable static func throughput(_ plan: BenchmarkPlan) async throws -> [Figure] {
        try await BenchmarkSite.run(plan) { site in
            let count = plan.isQuick ? 200 : 20_000
            let clock = ContinuousClock()
            let time = try await clock.measure {
                try await insert(count, site)
                _ = try await polling(for: "an empty queue", atMost: .seconds(300), every: .milliseconds(5)) {
                    try await site.database.value(querying: "select not exists (select from chat.jobs)", Bool.self)
                        ? true : nil
                }
            }
            let answers = try await site.database.value(
                querying: "select count(*) from chat.messages where role = 'assistant'", Int.self)
            guard answers == count else { throw SuiteFault(description: "\(answers) answers to \(count) questions") }
            let rate = Double(count) / (time / .seconds(1))
            return [.absolute("jobs through the queue, answered offline", rate, unit: "/s", .atLeast(1000))]
        }
    }

    private static func insert(_ count: Int, _ site: BenchmarkSite) async throws {
        try await site.database.query(
            """
            with conversation as (
                insert into chat.conversations (user_id, title)
                select \(site.user.id), 'One question' from generate_series(1, \(count)::int)
                returning id),
            question as (
                insert into chat.messages (conversation_id, role, status, content)
                select id, 'user', 'processing', 'What should a lease contain?' from conversation
                returning id, conversation_id)
            insert into chat.jobs (subject_id, question_id, answer_id, conversation_id, user_id, stage)
            select id, id, nextval('chat.messages_id_seq'), conversation_id, \(site.user.id), 'answer' from question
            """)
    }
}
