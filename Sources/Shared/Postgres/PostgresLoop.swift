import CPostgres
import Logging

/// Who waits for a connection.
enum PostgresWaiter: Equatable {
    case request(PostgresRequest, attempt: Int)
    case lease(PostgresLease)

    static func == (left: PostgresWaiter, right: PostgresWaiter) -> Bool {
        switch (left, right) {
        case (.request(let one, _), .request(let other, _)): one === other
        case (.lease(let one), .lease(let other)): one === other
        default: false
        }
    }
}

/// The one thread that talks to PostgreSQL: owns every connection and performs what the pool decides.
///
/// Made, run and released on its own thread; tasks reach it through the inbox.
final class PostgresLoop {
    let settings: PostgresSettings
    let inbox: PostgresInbox
    let board: PostgresStatisticsBoard
    let logger: Logger
    let canceller = PostgresCanceller()
    var epoll = PostgresEpoll()
    var pool: PostgresPool<PostgresWaiter>
    var connections: [UInt64: PostgresConnection] = [:]
    var leases: [ObjectIdentifier: PostgresConnection] = [:]
    var listener = PostgresListener()
    /// The time of this turn; read once a turn.
    var now = monotonicNanoseconds()
    private var lastID: UInt64 = 0
    private var isRunning = true
    private var closers: [PostgresReply<Void>] = []
    /// Connections by their place in the pool.
    private var bySlot: [PostgresConnection?]

    static let wakeNumber: UInt64 = 0
    static let attemptsMax = 4

    init(settings: PostgresSettings, inbox: PostgresInbox, board: PostgresStatisticsBoard, logger: Logger) {
        (self.settings, self.inbox, self.board, self.logger) = (settings, inbox, board, logger)
        pool = PostgresPool(
            readers: settings.readers, leased: settings.leased, waitersMax: settings.waitersMax,
            patience: settings.acquireTimeout.nanoseconds, pipelineDepth: settings.pipelineDepth)
        bySlot = Array(repeating: nil, count: settings.readers + settings.leased)
        epoll.watch(inbox.wakeDescriptor, events: PostgresEpoll.input, number: Self.wakeNumber)
    }

    /// Runs until a `close` command: take what was asked, act, sleep until something happens.
    func run() {
        while isRunning {
            let commands = inbox.take()
            for command in commands { handle(command) }
            act()
            guard isRunning else { break }
            var events: [(UInt64, UInt32)] = []
            epoll.wait(milliseconds: commands.isEmpty ? sleepMilliseconds() : 0) { events.append(($0, $1)) }
            now = monotonicNanoseconds()
            for (number, _) in events { handleEvent(number) }
            giveUpOverdue()
        }
        shutDown()
    }

    private func handle(_ command: PostgresCommand) {
        switch command {
        case .run(let request): accept(request)
        case .abandon(let request): abandon(request)
        case .lease(let lease): enqueue(.lease(lease), role: .leased)
        case .abandonLease(let lease): abandonLease(lease)
        case .listen(let subscription): listen(subscription)
        case .unlisten(let subscription): unlisten(subscription)
        case .close(let reply):
            isRunning = false
            if let reply { closers.append(reply) }
        }
    }

    private func handleEvent(_ number: UInt64) {
        if number == Self.wakeNumber {
            inbox.acknowledgeWake()
        } else if let connection = connections[number] {
            if connection.isConnected { exchange(connection) } else { advance(connection) }
        }
    }

    /// Performs what the pool decides until it has nothing more to do.
    func act() {
        while let action = pool.nextAction(now: now) {
            switch action {
            case .connect(let slot): connect(slot: slot)
            case .assign(let waiter, let slot): assign(waiter, slot: slot)
            case .expire(let waiter): refuse(waiter, waitError())
            }
        }
        actForListener()
        board.publish(pool.statistics)
    }

    private func assign(_ waiter: PostgresWaiter, slot: Int) {
        guard let connection = bySlot[slot] else { return }
        switch waiter {
        case .request(let request, let attempt):
            guard request.reply.claim() else { return pool.finished(slot: slot) }
            send(request, attempt: attempt, on: connection)
        case .lease(let lease):
            guard lease.reply.claim() else { return pool.finished(slot: slot) }
            connection.lease = lease
            connection.hasBegun = false
            leases[ObjectIdentifier(lease)] = connection
            lease.reply.settle(.success(()))
        }
    }

    // MARK: Connections

    func nextID() -> UInt64 {
        lastID += 1
        return lastID
    }

    private func connect(slot: Int) {
        let connection = PostgresConnection.start(
            id: nextID(), slot: slot, isReader: slot < settings.readers, settings: settings)
        guard let connection else { return noteConnectFailure(slot: slot, "libpq has no memory for a connection") }
        bySlot[slot] = connection
        begin(connection)
    }

    /// Starts to drive a new connection.
    func begin(_ connection: PostgresConnection) {
        connections[connection.id] = connection
        connection.deadline = now + settings.connectTimeout.nanoseconds
        guard PQstatus(connection.pg) != CONNECTION_BAD else {
            return drop(connection, PostgresError(.connection, connection.lastMessage))
        }
        // libpq documentation, PQconnectStart: wait for writing first.
        watch(connection, PostgresEpoll.output)
    }

    /// The next step of a connection that is being made.
    private func advance(_ connection: PostgresConnection) {
        switch connection.poll() {
        case .wantsRead: watch(connection, PostgresEpoll.input)
        case .wantsWrite: watch(connection, PostgresEpoll.output)
        case .failed(let message): drop(connection, PostgresError(.connection, message))
        case .connected:
            watch(connection, PostgresEpoll.input)
            lastConnectError = nil
            if let slot = connection.slot { pool.connected(slot: slot) } else { listener.connected() }
        }
    }

    func watch(_ connection: PostgresConnection, _ events: UInt32) {
        let descriptor = PQsocket(connection.pg)
        let isKnown = connection.isConnected && connection.watched?.descriptor == descriptor
        if isKnown, connection.watched?.events == events { return }
        epoll.watch(descriptor, events: events, number: connection.id)
        connection.watched = (descriptor, events)
    }

    /// Takes a connection out of service, closes it and tells everybody who was on it.
    func drop(_ connection: PostgresConnection, _ error: PostgresError) {
        connections[connection.id] = nil
        if let lease = connection.lease { leases[ObjectIdentifier(lease)] = nil }
        guard let slot = connection.slot else {
            logger.warning("cannot listen to PostgreSQL", metadata: ["error": "\(error.message)"])
            return listener.lost(now: now, random: .random(in: 0..<1))
        }
        bySlot[slot] = nil
        if connection.isConnected { pool.lost(slot: slot) } else { noteConnectFailure(slot: slot, error.message) }
        failInflight(connection, error)
    }

    /// Why the last attempt to connect failed; nil when the last one succeeded.
    private var lastConnectError: String?

    private func noteConnectFailure(slot: Int, _ message: String) {
        lastConnectError = message
        pool.connectFailed(slot: slot, now: now, random: .random(in: 0..<1))
        logger.warning("cannot connect to PostgreSQL", metadata: ["error": "\(message)"])
    }

    private func waitError() -> PostgresError {
        if let lastConnectError { return PostgresError(.connection, lastConnectError) }
        return PostgresError(.poolExhausted, "no connection became free within \(settings.acquireTimeout)")
    }

    // MARK: Time

    private func sleepMilliseconds() -> Int32 {
        let times = connections.values.map(\.deadline) + [pool.wakeTime(now: now), listener.wakeTime].compactMap { $0 }
        guard let earliest = times.min(), earliest < .max else { return -1 }
        guard earliest > now else { return 0 }
        return Int32(clamping: (earliest - now) / 1_000_000 + 1)
    }

    private func giveUpOverdue() {
        for connection in connections.values where connection.deadline <= now {
            if connection.isConnected {
                stop(connection, PostgresError(.timeout, "no answer within the deadline", outcomeUnknown: true))
            } else {
                drop(connection, PostgresError(.connection, "no connection within \(settings.connectTimeout)"))
            }
        }
    }

    // MARK: The end

    private func shutDown() {
        let closed = PostgresError(.closed, "the database client is closed")
        for waiter in pool.takeAllWaiters() { refuse(waiter, closed) }
        for connection in connections.values { failInflight(connection, closed, mayRetry: false) }
        listener.finish()
        connections = [:]
        leases = [:]
        bySlot = []
        for command in inbox.shut() { refuse(command, closed) }
        board.publish(PostgresStatistics())
        for reply in closers { reply.settle(.success(())) }
    }

    private func refuse(_ command: PostgresCommand, _ error: PostgresError) {
        switch command {
        case .run(let request): request.reply.settle(.failure(error))
        case .lease(let lease): lease.reply.settle(.failure(error))
        case .listen(let subscription): subscription.finish()
        case .close(let reply): reply?.settle(.success(()))
        case .abandon, .abandonLease, .unlisten: break
        }
    }

    func refuse(_ waiter: PostgresWaiter, _ error: PostgresError) {
        switch waiter {
        case .request(let request, _): request.reply.settle(.failure(error))
        case .lease(let lease): lease.reply.settle(.failure(error))
        }
    }
}
