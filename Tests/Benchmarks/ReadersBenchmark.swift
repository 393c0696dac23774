import Foundation
import TestSupport

/// What an open stream of events costs while nothing happens in its conversation.
enum ReadersBenchmark {
    /// The service's bound on streams of one user.
    private static let ofUserMax = 50

    @Sendable static func run(_ plan: BenchmarkPlan) async throws -> [Figure] {
        try await BenchmarkSite.run(plan) { site in
            let chat = site.suite.chats[0]
            var open: [EventStream] = []
            var left = plan.idleReaders
            // One round first, so that what the first streams of all cost is not counted.
            open += try await streams(of: site.user, count: min(left, ofUserMax))
            let before = try chat.residentBytes
            let connections = try await listeners(site)
            while left > 0 {
                let count = min(left, ofUserMax)
                open += try await streams(of: try await site.suite.register(), count: count)
                left -= count
            }
            let growth = Double(try chat.residentBytes - before) / Double(plan.idleReaders)
            let further = try await listeners(site) - connections
            guard connections == 1 else { throw SuiteFault(description: "\(connections) connections listen") }
            let what = "\(plan.idleReaders) idle readers of events"
            guard open.count >= plan.idleReaders else { throw SuiteFault(description: "\(open.count) streams") }
            return [
                .absolute("\(what): growth of memory, each", growth / 1024, unit: "KiB", atMost: 25),
                .absolute("\(what): further connections to PostgreSQL", Double(further), unit: "", atMost: 0),
            ]
        }
    }

    private static func streams(of user: SignedInUser, count: Int) async throws -> [EventStream] {
        let path = "/conversations/\(try await user.newConversation())/events"
        return try await withThrowingTaskGroup(of: EventStream.self) { group in
            for _ in 0..<count {
                group.addTask {
                    let (status, events) = try await user.chat.events(.GET, path)
                    guard status == 200 else { throw SuiteFault(description: "events: \(status)") }
                    return events
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// Connections of ChatService whose last statement was LISTEN.
    private static func listeners(_ site: BenchmarkSite) async throws -> Int {
        try await site.database.read(
            """
            select count(*) from pg_stat_activity
            where application_name = 'parley-chat' and datname = current_database() and query ilike 'listen%'
            """)[0].decode(Int.self)
    }
}
