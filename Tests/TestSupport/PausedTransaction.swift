package import Shared

extension PostgresDatabase {
    /// Runs `body` beside a transaction that has done `first` and does not go on until `body` releases it.
    ///
    /// Returns when the transaction is committed; what `first` locked is held until then.
    ///
    /// - Parameters:
    ///   - second: what the transaction does when it is released.
    ///   - body: gets the release, which it has to call.
    package func holding(
        _ first: @escaping @Sendable (PostgresTransaction) async throws -> Void,
        then second: @escaping @Sendable (PostgresTransaction) async throws -> Void = { _ in },
        _ body: (_ release: @escaping @Sendable () -> Void) async throws -> Void
    ) async throws {
        let (held, heldSignal) = AsyncThrowingStream.makeStream(of: Never.self)
        let (go, goSignal) = AsyncStream.makeStream(of: Never.self)
        @Sendable func run() async throws {
            // Also without a connection: nobody is to wait for what cannot come.
            defer { heldSignal.finish(throwing: CancellationError()) }
            try await withTransaction { transaction in
                try await first(transaction)
                heldSignal.finish()
                for await _ in go {}
                try await second(transaction)
            }
        }
        async let transaction: Void = run()
        do {
            for try await _ in held {}
        } catch {
            return try await transaction
        }
        try await body { goSignal.finish() }
        try await transaction
    }

    /// Makes PostgreSQL end `victim` for a deadlock, with a transaction that locks what `first` takes, waits until
    /// `victim` waits for that, and then wants what `second` takes.
    ///
    /// Needs a `deadlock_timeout` of the victim's session long enough for `second` to get there (5 s): PostgreSQL looks
    /// for a deadlock once, after that time of waiting.
    package func deadlock(
        first: SQL, second: SQL, victim: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await holding(
            {
                try await $0.query("set local deadlock_timeout = '10min'")
                try await $0.query(first)
            },
            then: { try await $0.query(second) },
            { release in
                async let ended: Void = victim()
                defer { release() }
                try await waitForALock()
                release()
                try await ended
            })
    }
}
