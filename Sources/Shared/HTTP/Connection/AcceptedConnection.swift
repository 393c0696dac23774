import HummingbirdCore
package import NIOCore

/// A connection that a listener has accepted, closed at the latest when nobody holds it any more.
///
/// A listener that stops lets go what it accepted and has not handed out yet. NIO ends the process for a
/// `NIOAsyncChannel` that is let go while its connection is open ("Deinited NIOAsyncWriter without calling finish()"),
/// so one connection that arrived in that moment would take every running request with it.
///
/// Held by the task that serves the connection, from any thread.
package final class AcceptedConnection<Inbound: Sendable, Outbound: Sendable>: ServerChildChannelValue {
    private let asyncChannel: NIOAsyncChannel<Inbound, Outbound>

    /// The connection's pipeline.
    package var channel: any Channel { asyncChannel.channel }

    /// Wraps a channel on its own event loop, before it is active.
    package init(_ asyncChannel: NIOAsyncChannel<Inbound, Outbound>) {
        self.asyncChannel = asyncChannel
    }

    /// Serves the connection; it stays open while `body` runs.
    /// - Throws: what `body` throws.
    package func serve<R>(
        _ body: (NIOAsyncChannel<Inbound, Outbound>) async throws -> R
    ) async rethrows -> R {
        // Without it the last use is before the call, and the connection could be closed under the one who serves it.
        defer { withExtendedLifetime(self) {} }
        return try await body(asyncChannel)
    }

    deinit {
        let asyncChannel = asyncChannel
        asyncChannel.channel.close(promise: nil)
        // The pipeline finishes the writer when the connection is closed; until then it is not to be let go.
        asyncChannel.channel.closeFuture.whenComplete { _ in withExtendedLifetime(asyncChannel) {} }
    }
}
