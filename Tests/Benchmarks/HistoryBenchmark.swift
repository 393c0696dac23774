import Foundation
import TestSupport

/// Reading a page of history through ChatService, beside `pgbench` with the very statement that ChatService sends.
enum HistoryBenchmark {
    @Sendable static func run(_ plan: BenchmarkPlan) async throws -> [Figure] {
        try await BenchmarkSite.run(plan) { site in
            let id = try await site.longConversation()
            let path = "/conversations/\(id)/messages?limit=50"
            let statements = try await StatementCapture.during(site, containing: ["left join lateral"]) {
                guard try await site.user.chat.get(path).status == 200 else { throw SuiteFault(description: path) }
            }
            let script = try statements.last.orThrow("statement of \(path)").script() + ";\n"
            let theirs = try await LoadTools.pgbench(
                script, url: site.suite.databaseURL, plan: plan, folder: site.folder)
            let ours = try await LoadTools.wrk(
                site.user.chat.base + path, token: site.user.token, connections: plan.connections, plan: plan,
                folder: site.folder)
            guard ours.errors == 0 else { throw SuiteFault(description: "\(ours.errors) errors while reading") }
            return [
                .ratio(
                    "history of 50 messages through ChatService : the same SQL in `pgbench`", ours.perSecond,
                    to: theirs,
                    unit: "/s", .atLeast(0.40))
            ]
        }
    }
}

/// How much slower the slowest history reads get while every recognizing slot is busy.
enum InterferenceBenchmark {
    @Sendable static func run(_ plan: BenchmarkPlan) async throws -> [Figure] {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return try await BenchmarkSite.run(plan, settings: ["OCR_WORKERS": "\(cores)"]) { site in
            let id = try await site.longConversation()
            let url = site.user.chat.base + "/conversations/\(id)/messages?limit=50"
            let idle = try await LoadTools.wrk(
                url, token: site.user.token, connections: 8, plan: plan, folder: site.folder)

            let scans = try await site.user.newConversation()
            let count = plan.isQuick ? 2 : cores * 6
            var work: [Int] = []
            for _ in 0..<count {
                work.append(try await site.user.upload([Fixture("documents/scan_mixed_5pages.pdf")], to: scans))
            }
            let first = work[0]
            _ = try await polling(for: "busy slots", atMost: .seconds(60)) {
                try await site.user.chat.get("/messages/\(first)").json["progress"]["stage"] == "recognizing"
                    ? true : nil
            }
            let busy = try await LoadTools.wrk(
                url, token: site.user.token, connections: 8, plan: plan, folder: site.folder)
            let last = try await site.user.chat.get("/messages/\(work[work.count - 1])").json["status"]
            if !plan.isQuick && last != "processing" { throw SuiteFault(description: "the slots ran out of work") }
            for message in work { _ = try await site.user.chat.send(.POST, "/messages/\(message)/cancel") }
            return [
                .ratio(
                    "99th percentile of history reads, all recognizing slots busy : idle", busy.percentile99,
                    to: idle.percentile99, unit: "ms", .atMost(5))
            ]
        }
    }
}
