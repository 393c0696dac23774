import CSodium
import Foundation
import Metrics
import NIOPosix
import ServiceLifecycle
import Shared
import Synchronization

/// Hashes and verifies passwords with Argon2id on threads of its own.
///
/// A hash is 20 to 50 ms of one core and `memoryBytes` of memory. The threads bound both: `workers` hashes at a time,
/// the rest waits in a queue of `waitingMax`, and beyond it the caller is told 503. Nothing here ever runs on the
/// cooperative pool, so answers that need no hash stay fast while logins wait.
final class PasswordHasher: Service {
    /// What one hash costs. Raising it makes `Verification.isOutdated` true for hashes made before.
    struct Cost: Sendable {
        /// Passes over the memory (libsodium's `opslimit`).
        var passes: UInt64 = 2
        /// libsodium's `memlimit`. The OWASP minimum of Argon2id with two passes and one lane.
        var memoryBytes: Int = 19 * 1_024 * 1_024

        init() {}
    }

    /// The outcome of comparing a password with a stored hash.
    struct Verification: Sendable {
        let isRight: Bool
        /// The hash was made at another cost: hash again while the password is at hand.
        let isOutdated: Bool
    }

    private let cost: Cost
    private let workers: Int
    private let waitingMax: Int
    private let threads: NIOThreadPool
    /// Verified when there is no such user, so that this takes the time that a wrong password takes.
    private let decoy: String
    private let admitted = Mutex(0)
    private let admittedGauge = Gauge(label: "parley_password_hashes_admitted")
    private let refused = Counter(label: "parley_password_hashes_refused_total")
    private let duration = Timer(label: "parley_password_hash_seconds")

    /// Starts the threads and makes the decoy hash, which takes as long as any hash.
    /// - Parameters:
    ///   - workers: hashes at a time, 1 or more.
    ///   - waitingMax: hashes that may wait for a thread.
    init(workers: Int, waitingMax: Int, cost: Cost = Cost()) async throws {
        // Picks the fast code for this processor; without it libsodium runs the portable one. More than once is safe.
        precondition(sodium_init() >= 0, "libsodium does not start")
        (self.cost, self.workers, self.waitingMax) = (cost, workers, waitingMax)
        let threads = NIOThreadPool(numberOfThreads: workers)
        threads.start()
        self.threads = threads
        let unknowable = Password.random()
        decoy = try await threads.runIfActive { try Argon2id.hash(unknowable, cost: cost) }
    }

    /// Ends the threads when the service ends; belongs before whatever serves requests, so that it outlives it.
    func run() async throws {
        try? await gracefulShutdown()
        try await threads.shutdownGracefully()
    }

    /// - Returns: the hash with its salt and cost, as text (PHC string format).
    /// - Throws: `Problem(.overloaded)` when too many wait, or there is no memory for a hash.
    func hash(_ password: Password) async throws -> String {
        let cost = cost
        return try await onThread { try Argon2id.hash(password, cost: cost) }
    }

    /// Compares in constant time, and takes the same time when there is nothing to compare with.
    /// - Parameters:
    ///   - password: nil for one that cannot be right, because it is longer than any.
    ///   - hash: nil when there is no such user; the answer is then always no.
    /// - Throws: `Problem(.overloaded)` when too many wait, or there is no memory for a hash.
    func verify(_ password: Password?, against hash: String?) async throws -> Verification {
        let (cost, decoy, isPossible) = (cost, decoy, password != nil && hash != nil)
        let candidate = password ?? Password.random()
        return try await onThread {
            let isRight = try Argon2id.verify(candidate, against: hash ?? decoy)
            let isOutdated = hash.map { Argon2id.isOutdated($0, cost: cost) } ?? false
            return Verification(isRight: isRight && isPossible, isOutdated: isRight && isOutdated)
        }
    }

    /// Work whose caller went away before it began is not done.
    private func onThread<R: Sendable>(_ work: @escaping @Sendable () throws -> R) async throws -> R {
        try admit()
        defer { leave() }
        let isAbandoned = Flag()
        do {
            return try await run(work, unless: isAbandoned)
        } catch is Argon2id.OutOfMemory {
            throw Problem(.overloaded, cause: "no memory for the hash of a password")
        }
    }

    private func run<R: Sendable>(
        _ work: @escaping @Sendable () throws -> R, unless isAbandoned: Flag
    ) async throws -> R {
        let (threads, duration) = (threads, duration)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                threads.submit { state in
                    guard state == .active, !isAbandoned.isSet else {
                        return continuation.resume(throwing: CancellationError())
                    }
                    // Where a hash and an answer that takes microseconds want the same core, the answer has it.
                    ThreadPriority.standBack()
                    let start = ContinuousClock.now
                    let result = Result(catching: work)
                    duration.record(duration: ContinuousClock.now - start)
                    continuation.resume(with: result)
                }
            }
        } onCancel: {
            isAbandoned.set()
        }
    }

    private func admit() throws {
        let count: Int? = admitted.withLock { admitted in
            guard admitted < workers + waitingMax else { return nil }
            admitted += 1
            return admitted
        }
        guard let count else {
            refused.increment()
            throw Problem(.overloaded)
        }
        admittedGauge.record(count)
    }

    private func leave() {
        let count = admitted.withLock { admitted in
            admitted -= 1
            return admitted
        }
        admittedGauge.record(count)
    }
}

/// Set once, from any thread.
private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}
