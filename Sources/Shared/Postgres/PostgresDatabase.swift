import Foundation
package import Logging
import NIOConcurrencyHelpers
import ServiceLifecycle

/// A pool of connections to one PostgreSQL database.
///
/// Usable from its making on: it connects when first asked, reconnects with a growing pause, and makes callers wait for
/// a bounded time. As a service it only ends things: list it first in the group, so that it closes last.
package final class PostgresDatabase: PostgresQuerying, Service {
    private let inbox = PostgresInbox()
    private let board = PostgresStatisticsBoard()

    package init(settings: PostgresSettings, logger: Logger) {
        let (inbox, board) = (inbox, board)
        let thread = Thread { PostgresLoop(settings: settings, inbox: inbox, board: board, logger: logger).run() }
        thread.name = "postgres"
        thread.start()
    }

    deinit { _ = inbox.post(.close(nil)) }

    /// Waits for the graceful shutdown of the service group, then closes.
    package func run() async throws {
        try? await gracefulShutdown()
        await close()
    }

    /// Refuses further calls, ends waiting and running ones with an error of kind `.closed`, closes every socket.
    package func close() async {
        let reply = PostgresReply<Void>()
        try? await reply.waitUncancelled { inbox.post(.close(reply)) }
    }

    /// The connections at this moment.
    package var statistics: PostgresStatistics { board.statistics }

    /// Runs a statement that only reads, beside others on a shared connection; repeated when its connection broke.
    package func read(_ sql: SQL) async throws -> PostgresRows {
        try await perform(PostgresRequest(sql, purpose: .read))
    }

    /// Runs any statement, committed by itself, on a leased connection; never repeated once it may have been sent.
    @discardableResult package func query(_ sql: SQL) async throws -> PostgresRows {
        try await perform(PostgresRequest(sql, purpose: .query))
    }

    /// As `query(_:)`, with a choice of when the commit is answered.
    @discardableResult package func query(_ sql: SQL, durability: PostgresDurability) async throws -> PostgresRows {
        try await perform(PostgresRequest(sql, purpose: .query, durability: durability))
    }

    /// Throws unless the server answers within `timeout`.
    package func ping(timeout: Duration = .seconds(1)) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await self.read("select 1") }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw PostgresError(.timeout, "no answer within \(timeout)")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Runs `body` in a transaction on a connection of its own: commits when it returns, rolls back when it throws.
    ///
    /// `begin` travels with the first statement. An error of the commit with `outcomeUnknown` means that it may have
    /// happened; every other error means that nothing was changed.
    @discardableResult package func withTransaction<R: Sendable>(
        durability: PostgresDurability = .durable, isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresTransaction) async throws -> R
    ) async throws -> R {
        let lease = PostgresLease(durability: durability)
        let inbox = inbox
        try await lease.reply.wait {
            inbox.post(.lease(lease))
        } abandon: {
            _ = inbox.post(.abandonLease(lease))
        }
        let transaction = PostgresTransaction(lease: lease, inbox: inbox)
        let result: R
        do {
            result = try await body(transaction)
        } catch {
            await transaction.rollback()
            throw error
        }
        try await transaction.commit()
        return result
    }

    /// Hears the notifications of some channels until the reader stops. One more connection is open meanwhile, shared
    /// by all who listen.
    package func listen(to channels: [String]) -> PostgresNotifications {
        let (stream, continuation) = AsyncStream.makeStream(
            of: PostgresNotification.self, bufferingPolicy: .bufferingNewest(PostgresNotifications.bufferMax))
        let subscription = PostgresSubscription(channels: channels, continuation: continuation)
        let inbox = inbox
        continuation.onTermination = { _ in _ = inbox.post(.unlisten(subscription)) }
        if !inbox.post(.listen(subscription)) { continuation.finish() }
        return PostgresNotifications(stream: stream)
    }

    private func perform(_ request: PostgresRequest) async throws -> PostgresRows {
        try await request.perform(through: inbox)
    }
}

extension PostgresRequest {
    /// Hands the request to the loop and waits for its rows; refused here if a value cannot be sent.
    func perform(through inbox: PostgresInbox) async throws -> PostgresRows {
        if let problem = sql.binds.problem { throw PostgresError(.encoding, problem) }
        if sql.text.holdsNUL { throw PostgresError(.encoding, "the statement contains a NUL character") }
        return try await reply.wait {
            inbox.post(.run(self))
        } abandon: {
            _ = inbox.post(.abandon(self))
        }
    }
}

extension String {
    /// Whether a NUL is in it, found at the speed of memchr(3): a statement's text is looked at for every call.
    fileprivate var holdsNUL: Bool {
        let found = utf8.withContiguousStorageIfAvailable { bytes in
            bytes.baseAddress.map { memchr($0, 0, bytes.count) != nil } ?? false
        }
        return found ?? utf8.contains(0)
    }
}

/// Where the loop puts its numbers for others to read.
final class PostgresStatisticsBoard: Sendable {
    private let current = NIOLockedValueBox(PostgresStatistics())

    var statistics: PostgresStatistics { current.withLockedValue { $0 } }

    func publish(_ statistics: PostgresStatistics) {
        current.withLockedValue { $0 = statistics }
    }
}
