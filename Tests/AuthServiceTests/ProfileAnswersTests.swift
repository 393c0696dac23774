import Foundation
import NIOCore
import Shared
import Synchronization
import TestSupport
import Testing

@testable import AuthService

@Suite("Kept answers of the profile")
struct ProfileAnswersTests {
    @Test("an answer is given as it was for a second, then while it is read again, and after two seconds is read first")
    func renewal() async throws {
        try await withAnswers { answers, user, time, rename in
            #expect(try await answers.name(user) == "Ann")
            try await rename("Anna")
            time.advance(by: .milliseconds(999))
            #expect(try await answers.name(user) == "Ann")
            time.advance(by: .milliseconds(1))
            #expect(try await answers.name(user) == "Ann")
            _ = try await polling(for: "the answer that is read in the background", atMost: .seconds(300)) {
                try await answers.name(user) == "Anna" ? true : nil
            }
            try await rename("Anja")
            time.advance(by: .seconds(2))
            #expect(try await answers.name(user) == "Anja")
        }
    }

    @Test("while the database does not answer, an answer is given until it is two seconds old")
    func slowDatabase() async throws {
        try await withAnswers { answers, user, time, _ in
            #expect(try await answers.name(user) == "Ann")
            try await answers.database.withTransaction { other in
                try await other.query("lock table auth.users in access exclusive mode")
                time.advance(by: .milliseconds(1_999))
                // The first of these asks for it to be read again, which waits for the lock.
                for _ in 1...3 { #expect(try await answers.name(user) == "Ann") }
            }
        }
    }

    @Test("who is gone has no answer, as soon as the kept one is too old")
    func deleted() async throws {
        try await withAnswers { answers, user, time, _ in
            #expect(try await answers.name(user) == "Ann")
            try await answers.database.query("delete from auth.users where id = \(user)")
            time.advance(by: .seconds(2))
            #expect(try await answers.name(user) == nil)
        }
    }

    private struct Kept {
        let answers: ProfileAnswers
        let database: PostgresDatabase

        func name(_ user: Int) async throws -> String? {
            try await answers.answer(ofUser: user).map {
                try JSONDecoder().decode(Profile.self, from: Data($0.readableBytesView)).name
            }
        }
    }

    /// Answers are renewed beside the body; `rename` is a change that nobody was told of.
    private func withAnswers(
        _ body: (Kept, Int, FakeTime, (String) async throws -> Void) async throws -> Void
    ) async throws {
        try await withTestDatabase(migrated: true) { database, _ in
            let user = try await database.query(
                """
                insert into auth.users (email, name, password_hash)
                values ('ann@example.com', 'Ann', '$argon2id$none') returning id
                """)[0].decode(Int.self)
            let time = FakeTime()
            let answers = ProfileAnswers(database: database, now: { time.now })
            try await withThrowingTaskGroup { group in
                group.addTask { await answers.renew() }
                try await body(Kept(answers: answers, database: database), user, time) { name in
                    try await database.query("update auth.users set name = \(name) where id = \(user)")
                }
                group.cancelAll()
            }
        }
    }
}

/// A clock that a test moves.
private final class FakeTime: Sendable {
    private let state = Mutex(ContinuousClock.now)
    var now: ContinuousClock.Instant { state.withLock { $0 } }
    func advance(by duration: Duration) { state.withLock { $0 += duration } }
}
