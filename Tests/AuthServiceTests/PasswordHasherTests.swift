import CSodium
import ServiceLifecycle
import Shared
import Testing

@testable import AuthService

@Suite("Password hasher")
struct PasswordHasherTests {
    /// The least that libsodium takes, so that tests of the queue are quick.
    static var cheap: PasswordHasher.Cost {
        var cost = PasswordHasher.Cost()
        (cost.passes, cost.memoryBytes) = (1, 64 * 1_024)
        return cost
    }

    static func withHasher<R>(
        workers: Int = 1, waitingMax: Int = 16, cost: PasswordHasher.Cost = cheap,
        _ body: (PasswordHasher) async throws -> R
    ) async throws -> R {
        let hasher = try await PasswordHasher(workers: workers, waitingMax: waitingMax, cost: cost)
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: hasher)], logger: .init(label: "test")))
        async let running: Void = group.run()
        let result: Result<R, any Error>
        do { result = .success(try await body(hasher)) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await running
        return try result.get()
    }

    @Test(
        "the right password verifies, byte for byte",
        arguments: ["correct horse", "пароль пароль", "with\u{0}zero byte", String(repeating: "x", count: 1_024)])
    func roundTrip(_ text: String) async throws {
        try await Self.withHasher { hasher in
            let hash = try await hasher.hash(Password(chosen: text))
            #expect(try await hasher.verify(Password(presented: text), against: hash).isRight)
            let other = String(text.dropLast()) + "y"
            #expect(try await !hasher.verify(Password(presented: other), against: hash).isRight)
            #expect(try await !hasher.verify(Password(presented: text + " "), against: hash).isRight)
        }
    }

    @Test("a hash is Argon2id of two passes over 19 MiB")
    func cost() async throws {
        try await Self.withHasher(cost: .init()) { hasher in
            let hash = try await hasher.hash(Password(chosen: "correct horse"))
            #expect(hash.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
            let again = try await hasher.hash(Password(chosen: "correct horse"))
            #expect(hash != again)
        }
    }

    @Test("without a hash, or with a password that is too long, the answer is no after the work of one hash")
    func nobody() async throws {
        try await Self.withHasher { hasher in
            let hash = try await hasher.hash(Password(chosen: "correct horse"))
            #expect(try await !hasher.verify(Password(presented: "correct horse"), against: nil).isRight)
            #expect(try await !hasher.verify(nil, against: hash).isRight)
            #expect(try await !hasher.verify(nil, against: nil).isRight)
            #expect(try await !hasher.verify(Password(presented: "correct horse"), against: "no hash").isRight)
        }
    }

    @Test("what libsodium itself verifies is verified, and a text that is almost a hash is none")
    func textForm() throws {
        let password = try Password(chosen: "correct horse")
        let hash = try Argon2id.hash(password, cost: Self.cheap)
        #expect(try Argon2id.verify(password, against: hash))
        #expect(crypto_pwhash_str_verify(hash, "correct horse", 13) == 0)
        let parts = hash.split(separator: "$", omittingEmptySubsequences: false)
        for (index, other) in [
            (1, "argon2i"), (2, "v=16"), (3, "m=64,t=1,p=2"), (3, "m=64,t=0,p=1"), (4, "AAAA"), (5, ""),
        ] {
            var changed = parts.map(String.init)
            changed[index] = other
            #expect(try !Argon2id.verify(password, against: changed.joined(separator: "$")))
        }
        #expect(try !Argon2id.verify(password, against: hash + "$x"))
    }

    @Test("a hash made at a lower cost is outdated, but only the right password says so")
    func outdated() async throws {
        let old = try Argon2id.hash(Password(chosen: "correct horse"), cost: Self.cheap)
        var raised = Self.cheap
        raised.passes = 2
        try await Self.withHasher(cost: raised) { hasher in
            let right = try await hasher.verify(Password(presented: "correct horse"), against: old)
            #expect(right.isRight && right.isOutdated)
            let wrong = try await hasher.verify(Password(presented: "wrong horse"), against: old)
            #expect(!wrong.isRight && !wrong.isOutdated)
            let new = try await hasher.hash(Password(chosen: "correct horse"))
            #expect(try await !hasher.verify(Password(presented: "correct horse"), against: new).isOutdated)
        }
    }

    @Test("what exceeds workers and queue is refused at once, and what was admitted is served")
    func bounded() async throws {
        try await Self.withHasher(workers: 2, waitingMax: 3, cost: .init()) { hasher in
            let password = try Password(chosen: "correct horse")
            let outcomes = await withTaskGroup(of: ProblemCode?.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        do {
                            _ = try await hasher.hash(password)
                            return nil
                        } catch { return (error as? Problem)?.code }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let refused = outcomes.filter { $0 == .overloaded }.count
            let served = outcomes.filter { $0 == nil }.count
            #expect(served >= 5 && refused > 0 && served + refused == 40)
            #expect(try await hasher.verify(password, against: hasher.hash(password)).isRight)
        }
    }

    @Test("work whose caller has gone is not done, and its place is free again")
    func abandoned() async throws {
        try await Self.withHasher(workers: 1, waitingMax: 0, cost: .init()) { hasher in
            let password = try Password(chosen: "correct horse")
            let task = Task { try await hasher.hash(password) }
            task.cancel()
            _ = await task.result
            #expect(try await hasher.verify(password, against: hasher.hash(password)).isRight)
        }
    }
}
