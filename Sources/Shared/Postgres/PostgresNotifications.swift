/// What a listener hears.
package enum PostgresNotification: Sendable, Equatable {
    /// From now on notifications arrive. Comes first, after every reconnection, and when notifications had to be
    /// dropped: whoever hears it looks at the rows, for something may have been missed.
    case listening
    case notification(channel: String, payload: String)
}

/// The notifications of some channels, from `PostgresDatabase.listen`. Ends when the client is closed; for one loop.
package struct PostgresNotifications: AsyncSequence, Sendable {
    /// Notifications kept for a slow reader; past that the oldest go and `.listening` says so.
    static let bufferMax = 1024
    let stream: AsyncStream<PostgresNotification>

    /// One reader's way through the notifications.
    package func makeAsyncIterator() -> AsyncStream<PostgresNotification>.Iterator {
        stream.makeAsyncIterator()
    }
}

/// One caller's wish to hear of some channels.
final class PostgresSubscription: Sendable {
    let channels: [String]
    private let continuation: AsyncStream<PostgresNotification>.Continuation

    init(channels: [String], continuation: AsyncStream<PostgresNotification>.Continuation) {
        self.channels = channels
        self.continuation = continuation
    }

    /// Passes an event on. If that pushed out an older one, the reader is told to look for itself.
    func hear(_ event: PostgresNotification) {
        if case .dropped = continuation.yield(event) { continuation.yield(.listening) }
    }

    func finish() {
        continuation.finish()
    }
}
