import Testing

@testable import Shared

/// The pool's decisions, without a server. Times are nanoseconds.
@Suite struct PostgresPoolTests {
    private func pool(readers: Int = 1, leased: Int = 2, waitersMax: Int = 10) -> PostgresPool<Int> {
        PostgresPool(readers: readers, leased: leased, waitersMax: waitersMax, patience: 100, pipelineDepth: 2)
    }

    /// Every action the pool wants now, in words.
    private func actions(_ pool: inout PostgresPool<Int>, now: UInt64) -> [String] {
        var found: [String] = []
        while let action = pool.nextAction(now: now) {
            switch action {
            case .connect(let slot): found.append("connect \(slot)")
            case .assign(let waiter, let slot): found.append("assign \(waiter) to \(slot)")
            case .expire(let waiter): found.append("expire \(waiter)")
            }
        }
        return found
    }

    private func expectActions(
        of pool: inout PostgresPool<Int>, now: UInt64, _ expected: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let found = actions(&pool, now: now)
        #expect(found == expected, sourceLocation: sourceLocation)
    }

    private func expectUse(
        of key: PostgresStatementKey, in statements: inout PostgresStatements, _ expected: PostgresStatements.Lookup,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let found = statements.use(key)
        #expect(found == expected, sourceLocation: sourceLocation)
    }

    @Test func nothingIsOpenedBeforeSomebodyAsks() {
        var pool = pool()
        expectActions(of: &pool, now: 0, [])
        #expect(pool.wakeTime(now: 0) == nil)
    }

    @Test func oneConnectionIsOpenedForEachCallerUpToTheLimit() {
        var pool = pool()
        for waiter in 1...3 { _ = pool.enqueue(waiter, role: .leased, now: 0) }
        expectActions(of: &pool, now: 0, ["connect 1", "connect 2"])
        pool.connected(slot: 1)
        expectActions(of: &pool, now: 1, ["assign 1 to 1"])
        pool.finished(slot: 1)
        expectActions(of: &pool, now: 2, ["assign 2 to 1"])
    }

    @Test func readsShareAConnectionUpToItsDepth() {
        var pool = pool()
        for waiter in 1...3 { _ = pool.enqueue(waiter, role: .reader, now: 0) }
        expectActions(of: &pool, now: 0, ["connect 0"])
        pool.connected(slot: 0)
        expectActions(of: &pool, now: 1, ["assign 1 to 0", "assign 2 to 0"])
        pool.finished(slot: 0)
        expectActions(of: &pool, now: 2, ["assign 3 to 0"])
    }

    @Test func readsGoToTheReaderWithTheLeastToDo() {
        var pool = pool(readers: 2)
        for waiter in 1...3 { _ = pool.enqueue(waiter, role: .reader, now: 0) }
        expectActions(of: &pool, now: 0, ["connect 0", "connect 1"])
        pool.connected(slot: 0)
        pool.connected(slot: 1)
        expectActions(of: &pool, now: 1, ["assign 1 to 0", "assign 2 to 1", "assign 3 to 0"])
    }

    @Test func whoWaitsTooLongIsRefusedAndTheNextOneIsNot() {
        var pool = pool()
        _ = pool.enqueue(1, role: .leased, now: 0)
        _ = pool.enqueue(2, role: .leased, now: 50)
        expectActions(of: &pool, now: 50, ["connect 1", "connect 2"])
        #expect(pool.wakeTime(now: 50) == 100)
        expectActions(of: &pool, now: 100, ["expire 1"])
        #expect(pool.wakeTime(now: 100) == 150)
    }

    @Test func moreWaitersThanAllowedAreRefused() {
        var pool = pool(waitersMax: 2)
        let accepted = [1, 2, 3].map { pool.enqueue($0, role: $0 == 1 ? .leased : .reader, now: 0) }
        #expect(accepted == [true, true, false])
        pool.withdraw(1)
        let isAccepted = pool.enqueue(3, role: .reader, now: 0)
        #expect(isAccepted)
    }

    @Test func afterAFailureASingleProbeWaitsItsTime() {
        var pool = PostgresPool<Int>(readers: 1, leased: 2, waitersMax: 10, patience: 10_000_000_000, pipelineDepth: 2)
        for waiter in 1...3 { _ = pool.enqueue(waiter, role: .leased, now: 0) }
        expectActions(of: &pool, now: 0, ["connect 1", "connect 2"])
        pool.connectFailed(slot: 1, now: 0, random: 1)
        pool.connectFailed(slot: 2, now: 0, random: 1)
        expectActions(of: &pool, now: 99_999_999, [])
        #expect(pool.wakeTime(now: 1) == 100_000_000)
        expectActions(of: &pool, now: 100_000_000, ["connect 1"])
        pool.connected(slot: 1)
        expectActions(of: &pool, now: 100_000_001, ["assign 1 to 1", "connect 2"])
    }

    @Test func thePauseGrowsToItsLimitAndNoFurther() {
        var backoff = PostgresBackoff()
        var pauses: [UInt64] = []
        for _ in 0..<8 {
            backoff.failed(now: 0, random: 1)
            pauses.append((backoff.retryTime(after: 0) ?? 0) / 1_000_000)
        }
        #expect(pauses == [50, 100, 200, 400, 800, 1600, 1600, 1600])
        backoff.succeeded()
        #expect(backoff.allows(now: 0, connecting: true))
    }

    @Test func aLostConnectionIsReplacedForWhoeverWaits() {
        var pool = pool(leased: 1)
        _ = pool.enqueue(1, role: .leased, now: 0)
        _ = actions(&pool, now: 0)
        pool.connected(slot: 1)
        expectActions(of: &pool, now: 0, ["assign 1 to 1"])
        _ = pool.enqueue(2, role: .leased, now: 1)
        pool.lost(slot: 1)
        pool.requeue(1, role: .leased, now: 1)
        expectActions(of: &pool, now: 1, ["connect 1"])
        pool.connected(slot: 1)
        expectActions(of: &pool, now: 2, ["assign 1 to 1"])
        let waiting = pool.takeAllWaiters()
        #expect(waiting == [2])
    }

    @Test func theLeastRecentlyUsedStatementMakesRoom() {
        var statements = PostgresStatements(limit: 2)
        let (one, two, three) = (PostgresStatementKey("1"), PostgresStatementKey("2"), PostgresStatementKey("3"))
        expectUse(of: one, in: &statements, .unprepared(name: "parley_1", evicted: nil))
        expectUse(of: one, in: &statements, .unsettled)
        statements.confirm(one)
        expectUse(of: two, in: &statements, .unprepared(name: "parley_3", evicted: nil))
        statements.confirm(two)
        expectUse(of: one, in: &statements, .prepared(name: "parley_1"))
        expectUse(of: three, in: &statements, .unprepared(name: "parley_5", evicted: "parley_3"))
        statements.forget(one)
        expectUse(of: one, in: &statements, .unprepared(name: "parley_6", evicted: nil))
    }
}
