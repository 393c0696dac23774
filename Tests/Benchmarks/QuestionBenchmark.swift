import Foundation
import TestSupport

/// Questions answered by the offline model, beside `pgbench` with the statements that one question costs.
enum QuestionBenchmark {
    private static let conversations = 64

    @Sendable static func run(_ plan: BenchmarkPlan) async throws -> [Figure] {
        try await BenchmarkSite.run(plan) { site in
            // No other value of the statements is as large, so it can be told apart from them.
            try await site.database.query("alter table chat.conversations alter column id restart with 700001")
            var ids: [Int] = []
            for _ in 0..<conversations { ids.append(try await site.user.newConversation()) }
            let first = try ids.first.orThrow("conversation"), last = try ids.last.orThrow("conversation")
            let body: JSON = ["conversation_id": .number(Double(first)), "message": "What should a lease contain?"]
            let statements = try await StatementCapture.during(site, containing: ["chat.messages"]) {
                guard try await site.user.chat.post("/chat", body).status == 200 else {
                    throw SuiteFault(description: "/chat")
                }
            }
            let script = try pgbenchScript(statements, conversation: first, range: first...last)
            let before = try await answers(site)
            let theirs = try await LoadTools.pgbench(
                script, url: site.suite.databaseURL, plan: plan, folder: site.folder)
            let written = try await Double(answers(site) - before)
            guard written > theirs * Double(plan.seconds) * 0.9 else {
                throw SuiteFault(
                    description: "pgbench did not do the work: \(written) answers at \(theirs)/s\n\(script)")
            }
            let ours = try await LoadTools.wrk(
                site.user.chat.base + "/chat", token: site.user.token, script: wrkScript(first...last),
                connections: plan.connections, plan: plan, folder: site.folder)
            guard ours.errors == 0 else { throw SuiteFault(description: "\(ours.errors) errors while asking") }
            return [
                .ratio(
                    "`POST /chat`, offline model : the same statements in `pgbench`", ours.perSecond, to: theirs,
                    unit: "/s", .atLeast(0.40))
            ]
        }
    }

    private static func answers(_ site: BenchmarkSite) async throws -> Int {
        let rows = try await site.database.query("select count(*) from chat.messages where role = 'assistant'")
        return try rows.first.orThrow("count").decode(Int.self)
    }

    /// The first statement gives the job's id to the others, which name it as `where id = $n`.
    private static func pgbenchScript(
        _ statements: [StatementCapture.Statement], conversation: Int, range: ClosedRange<Int>
    ) throws -> String {
        guard statements.count == 2, let accept = statements.first else {
            throw SuiteFault(description: "a question should cost two statements, not \(statements.count)")
        }
        var script = "\\set conversation random(\(range.lowerBound), \(range.upperBound))\n"
        script += accept.script { _, value in value == "'\(conversation)'" ? ":conversation" : nil } + " \\aset\n"
        for statement in statements.dropFirst() {
            let jobs = Set(statement.text.matches(of: #/where id = \$(\d+)/#).compactMap { Int($0.1) })
            script += statement.script { number, _ in jobs.contains(number) ? ":id" : nil } + ";\n"
        }
        return script
    }

    private static func wrkScript(_ ids: ClosedRange<Int>) -> String {
        """
        wrk.method = "POST"
        wrk.headers["Content-Type"] = "application/json"
        request = function()
            local id = math.random(\(ids.lowerBound), \(ids.upperBound))
            local body = '{"conversation_id":' .. id .. ',"message":"What should a lease contain?"}'
            return wrk.format(nil, nil, nil, body)
        end
        """
    }
}
