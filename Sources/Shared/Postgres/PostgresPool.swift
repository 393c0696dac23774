import DequeModule

/// Decides which connection serves whom, which to open and who has waited too long: a state machine without sockets.
///
/// The loop tells what happened, then performs the actions of `nextAction` until there is none. Times are nanoseconds
/// of one monotonic clock.
struct PostgresPool<Waiter: Equatable> {
    /// Whom a connection serves: all readers at once, or one caller at a time.
    enum Role: Equatable { case reader, leased }

    private enum State: Equatable {
        case closed, connecting
        /// Open, with this many callers on it.
        case open(load: Int)
    }

    private struct Slot {
        let role: Role
        var state = State.closed
    }

    private struct Waiting {
        let waiter: Waiter
        let deadline: UInt64
    }

    /// What the loop is to do next.
    enum Action {
        case connect(slot: Int)
        case assign(Waiter, slot: Int)
        /// The waiter has waited for as long as it may.
        case expire(Waiter)
    }

    private var slots: [Slot]
    private var reads: Deque<Waiting> = []
    private var leases: Deque<Waiting> = []
    private let waitersMax: Int
    private let patience: UInt64
    private let pipelineDepth: Int
    private var backoff = PostgresBackoff()

    init(readers: Int, leased: Int, waitersMax: Int, patience: UInt64, pipelineDepth: Int) {
        slots = (0..<readers).map { _ in Slot(role: .reader) } + (0..<leased).map { _ in Slot(role: .leased) }
        self.waitersMax = waitersMax
        self.patience = patience
        self.pipelineDepth = pipelineDepth
    }

    // MARK: What happened

    /// A caller asks for a connection. False if too many wait already.
    mutating func enqueue(_ waiter: Waiter, role: Role, now: UInt64) -> Bool {
        guard reads.count + leases.count < waitersMax else { return false }
        let waiting = Waiting(waiter: waiter, deadline: now + patience)
        if role == .reader { reads.append(waiting) } else { leases.append(waiting) }
        return true
    }

    /// A caller whose connection broke before its answer: it goes first, with a new deadline.
    mutating func requeue(_ waiter: Waiter, role: Role, now: UInt64) {
        let waiting = Waiting(waiter: waiter, deadline: now + patience)
        if role == .reader { reads.prepend(waiting) } else { leases.prepend(waiting) }
    }

    /// A caller no longer waits.
    mutating func withdraw(_ waiter: Waiter) {
        reads.removeAll { $0.waiter == waiter }
        leases.removeAll { $0.waiter == waiter }
    }

    mutating func connected(slot: Int) {
        slots[slot].state = .open(load: 0)
        backoff.succeeded()
    }

    /// `random` in 0..<1 spreads the replicas' attempts.
    mutating func connectFailed(slot: Int, now: UInt64, random: Double) {
        slots[slot].state = .closed
        backoff.failed(now: now, random: random)
    }

    /// One caller is done with an open connection.
    mutating func finished(slot: Int) {
        guard case .open(let load) = slots[slot].state else { return }
        slots[slot].state = .open(load: max(0, load - 1))
    }

    /// An open connection broke or was dropped.
    mutating func lost(slot: Int) {
        slots[slot].state = .closed
    }

    /// Ends all waiting.
    mutating func takeAllWaiters() -> [Waiter] {
        defer { (reads, leases) = ([], []) }
        return reads.map(\.waiter) + leases.map(\.waiter)
    }

    // MARK: What to do

    mutating func nextAction(now: UInt64) -> Action? {
        expire(now: now) ?? assignLease() ?? assignRead() ?? connect(now: now)
    }

    private mutating func expire(now: UInt64) -> Action? {
        if let first = reads.first, first.deadline <= now { return .expire(reads.removeFirst().waiter) }
        if let first = leases.first, first.deadline <= now { return .expire(leases.removeFirst().waiter) }
        return nil
    }

    private mutating func assignLease() -> Action? {
        guard !leases.isEmpty, let slot = leastLoaded(.leased, below: 1) else { return nil }
        slots[slot].state = .open(load: 1)
        return .assign(leases.removeFirst().waiter, slot: slot)
    }

    private mutating func assignRead() -> Action? {
        guard !reads.isEmpty, let slot = leastLoaded(.reader, below: pipelineDepth),
            case .open(let load) = slots[slot].state
        else { return nil }
        slots[slot].state = .open(load: load + 1)
        return .assign(reads.removeFirst().waiter, slot: slot)
    }

    /// Opens one connection a time for which there is demand; after a failure a single probe at a time.
    private mutating func connect(now: UInt64) -> Action? {
        guard let slot = slotToConnect(),
            backoff.allows(now: now, connecting: slots.contains { $0.state == .connecting })
        else { return nil }
        slots[slot].state = .connecting
        return .connect(slot: slot)
    }

    private func slotToConnect() -> Int? {
        let busyReaders = slots.contains { if case .open(1...) = $0.state { $0.role == .reader } else { false } }
        let wantsReader = !reads.isEmpty || busyReaders
        if wantsReader, let slot = closedSlot(.reader) { return slot }
        let connecting = slots.count { $0.role == .leased && $0.state == .connecting }
        return leases.count > connecting ? closedSlot(.leased) : nil
    }

    private func closedSlot(_ role: Role) -> Int? {
        slots.firstIndex { $0.role == role && $0.state == .closed }
    }

    private func leastLoaded(_ role: Role, below limit: Int) -> Int? {
        var best: (slot: Int, load: Int)?
        for (index, slot) in slots.enumerated() where slot.role == role {
            if case .open(let load) = slot.state, load < best?.load ?? limit { best = (index, load) }
        }
        return best?.slot
    }

    /// When `nextAction` may have something to do although nothing happens.
    func wakeTime(now: UInt64) -> UInt64? {
        let deadline = [reads.first?.deadline, leases.first?.deadline].compactMap { $0 }.min()
        let retry = slotToConnect() == nil ? nil : backoff.retryTime(after: now)
        return [deadline, retry].compactMap { $0 }.min()
    }

    var statistics: PostgresStatistics {
        var statistics = PostgresStatistics()
        statistics.waiting = reads.count + leases.count
        for slot in slots {
            switch slot.state {
            case .open(let load):
                statistics.open += 1
                statistics.idle += load == 0 ? 1 : 0
            case .connecting: statistics.connecting += 1
            case .closed: break
            }
        }
        return statistics
    }
}

/// A pool's connections at one moment.
package struct PostgresStatistics: Sendable, Equatable {
    /// Connections that are open; `idle` of them serve nobody.
    package var open = 0
    package var idle = 0
    package var connecting = 0
    /// Callers waiting for a connection.
    package var waiting = 0

    package init() {}
}

/// Waits between attempts to connect: 50 ms doubling to 1.6 s, each between half and all of that.
struct PostgresBackoff {
    private var failures = 0
    private var retryAt: UInt64 = 0

    mutating func succeeded() {
        failures = 0
    }

    mutating func failed(now: UInt64, random: Double) {
        let step = Double(50_000_000 << min(failures, 5))
        failures += 1
        retryAt = now + UInt64(step * (0.5 + random / 2))
    }

    func allows(now: UInt64, connecting: Bool) -> Bool {
        failures == 0 || (!connecting && now >= retryAt)
    }

    func retryTime(after now: UInt64) -> UInt64? {
        failures > 0 && retryAt > now ? retryAt : nil
    }
}
