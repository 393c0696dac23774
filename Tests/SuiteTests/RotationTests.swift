import Foundation
import Shared
import Synchronization
import TestSupport
import Testing

/// `JWT_SECRET` changes while everybody goes on, and revocations arrive while connections break.
@Suite("Secrets that roll, connections that break", .serialized)
struct RotationTests {
    private static let first = "Rz3vQ9xLw7KfT2mB8nYc5HdJ6pGs4aEu"
    private static let second = "Kp7wZ2nXv9QbT4rL6mYc8HdJ3sGf5aEu"

    /// The settings of each step: first the new secret is known everywhere, then it signs, then the old one goes.
    private static let stages = [
        ["JWT_SECRET": first], ["JWT_SECRET": first, "JWT_SECRET_PREVIOUS": second],
        ["JWT_SECRET": second, "JWT_SECRET_PREVIOUS": first], ["JWT_SECRET": second],
    ]

    /// The replicas that take requests, and how far each client has come.
    private struct Board: Sendable {
        var clients: [ServiceClient]
        var rounds: [Int]
        var faults: [String] = []
        var isOver = false
    }

    /// Shared by all clients.
    private final class Scoreboard: Sendable {
        private let board: Mutex<Board>

        init(_ board: Board) { self.board = Mutex(board) }

        func withLock<R: Sendable>(_ body: @Sendable (inout Board) -> R) -> R { board.withLock { body(&$0) } }
    }

    @Test func aRollOfTheSecretOverTwoReplicasUnderLoadRefusesNoRequest() async throws {
        try await withSuite(replicas: 0, settings: Self.stages[0]) { suite in
            var replicas = [try suite.auth, try await suite.start(.auth)]
            let board = Scoreboard(Board(clients: replicas.map(\.client), rounds: Array(repeating: 0, count: 6)))
            var users: [SignedInUser] = []
            for _ in 0..<6 { users.append(try await suite.register()) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, user) in users.enumerated() {
                    group.addTask { try await goOn(as: user, number, board) }
                }
                for stage in Self.stages.dropFirst() {
                    for index in replicas.indices {
                        let next = try await suite.start(.auth, stage)
                        board.withLock { $0.clients[index] = next.client }
                        // Requests that chose the old one before are served before it ends.
                        try await allGoOn(board)
                        #expect(try await replicas[index].process.terminate() == 0)
                        replicas[index] = next
                    }
                    // By now every client has refreshed: nobody holds a token of the secret that goes next.
                    try await allGoOn(board)
                }
                board.withLock { $0.isOver = true }
                try await group.waitForAll()
            }
            #expect(board.withLock { $0.faults } == [])
            #expect(board.withLock { $0.rounds }.allSatisfy { $0 > 20 })
        }
    }

    /// Reads and refreshes, each time at whichever replica, until it is over.
    private func goOn(as user: SignedInUser, _ number: Int, _ board: Scoreboard) async throws {
        var (token, refreshToken) = (user.token, user.refreshToken)
        var turn = number
        while !board.withLock({ $0.isOver }) {
            turn += 1
            let (one, two) = (turn % 2, (turn + 1) % 2)
            let client = board.withLock { $0.clients[one] }
            let profile = try await client.with(token: token).get("/api/profile")
            let other = board.withLock { $0.clients[two] }
            let refreshed = try await other.post("/refresh", ["refresh_token": .string(refreshToken)])
            guard profile.status == 200, refreshed.status == 200 else {
                return board.withLock { $0.faults.append("\(profile) \(refreshed)") }
            }
            token = refreshed.json["token"].string ?? ""
            refreshToken = refreshed.json["refresh_token"].string ?? ""
            board.withLock { $0.rounds[number] += 1 }
        }
    }

    /// Waits until every client has done two whole rounds from now on.
    private func allGoOn(_ board: Scoreboard) async throws {
        let before = board.withLock { $0.rounds }
        for _ in 0..<1_200 {
            let (now, faults) = board.withLock { ($0.rounds, $0.faults) }
            guard faults.isEmpty else { throw SuiteFault(description: "\(faults)") }
            if zip(now, before).allSatisfy({ $0 >= $1 + 2 }) { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw SuiteFault(description: "the clients do not go on: \(board.withLock { $0.rounds })")
    }

    /// A listener that was cut off reads everything when it is back; the poll is behind that.
    @Test(.tags(.alone)) func sessionsThatEndWhileTheListeningConnectionsAreKilledAreRefusedAllTheSame() async throws {
        try await withSuite { suite in
            let other = try await suite.start(.auth)
            let database = PostgresDatabase(settings: PostgresSettings(url: suite.databaseURL), logger: .quiet)
            let clock = ContinuousClock()
            var times: [Duration] = []
            for _ in 0..<4 {
                let user = try await suite.register()
                let elsewhere = [other.client.with(token: user.token), suite.chats[0].client.with(token: user.token)]
                #expect(try await elsewhere[0].get("/api/profile").status == 200)
                #expect(try await elsewhere[1].get("/conversations").status == 200)
                let killed = try await database.query(
                    """
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()
                    """)
                #expect(killed.count >= 3, "three processes listen")
                let start = clock.now
                #expect(try await suite.auth.client.with(token: user.token).post("/logout").status == 204)
                _ = try await polling(for: "both services to refuse", atMost: .seconds(10), every: .milliseconds(20)) {
                    let profile = try await elsewhere[0].get("/api/profile").status
                    let list = try await elsewhere[1].get("/conversations").status
                    return profile == 401 && list == 401 ? true : nil
                }
                times.append(clock.now - start)
            }
            await database.close()
            // The worst rounds are those of a busy machine.
            #expect(times.sorted()[1] < .seconds(1), "\(times)")
        }
    }
}
