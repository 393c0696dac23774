import CPostgres

/// Who listens to what, and the connection that does: opened with the first subscription, closed after the last.
struct PostgresListener {
    private(set) var subscriptions: [PostgresSubscription] = []
    /// Subscriptions whose `listen` is still to be sent.
    var unsent: [PostgresSubscription] = []
    var connection: PostgresConnection?
    private var backoff = PostgresBackoff()

    mutating func add(_ subscription: PostgresSubscription) {
        subscriptions.append(subscription)
        unsent.append(subscription)
    }

    mutating func remove(_ subscription: PostgresSubscription) {
        subscriptions.removeAll { $0 === subscription }
        unsent.removeAll { $0 === subscription }
    }

    mutating func connected() {
        backoff.succeeded()
        unsent = subscriptions
    }

    mutating func lost(now: UInt64, random: Double) {
        connection = nil
        unsent = []
        backoff.failed(now: now, random: random)
    }

    func hear(channel: String, payload: String) {
        for subscription in subscriptions where subscription.channels.contains(channel) {
            subscription.hear(.notification(channel: channel, payload: payload))
        }
    }

    func mayConnect(now: UInt64) -> Bool {
        connection == nil && !subscriptions.isEmpty && backoff.allows(now: now, connecting: false)
    }

    var wakeTime: UInt64? {
        connection == nil && !subscriptions.isEmpty ? backoff.retryTime(after: 0) : nil
    }

    mutating func finish() {
        for subscription in subscriptions { subscription.finish() }
        (subscriptions, unsent, connection) = ([], [], nil)
    }
}

extension PostgresLoop {
    func listen(_ subscription: PostgresSubscription) {
        listener.add(subscription)
    }

    /// Channels that nobody listens to any more stay subscribed until the connection closes; what arrives on them
    /// reaches nobody.
    func unlisten(_ subscription: PostgresSubscription) {
        listener.remove(subscription)
        guard listener.subscriptions.isEmpty, let connection = listener.connection else { return }
        connections[connection.id] = nil
        listener.connection = nil
    }

    /// Opens the listening connection when it is wanted and sends what is to be listened to.
    func actForListener() {
        if listener.mayConnect(now: now) { connectListener() }
        guard let connection = listener.connection, connection.isConnected, connection.inflight.isEmpty,
            !listener.unsent.isEmpty
        else { return }
        guard connection.sendListen(Shared.exchange(&listener.unsent, with: [])) else {
            return drop(connection, PostgresError(.connection, connection.lastMessage))
        }
        flush(connection)
    }

    private func connectListener() {
        let made = PostgresConnection.start(id: nextID(), slot: nil, isReader: false, settings: settings)
        guard let made else { return listener.lost(now: now, random: .random(in: 0..<1)) }
        listener.connection = made
        begin(made)
    }
}
