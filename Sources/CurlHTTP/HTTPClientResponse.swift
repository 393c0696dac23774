/// The status line and the header fields of a response.
package struct HTTPResponseHead: Sendable, Equatable {
    package var status: Int
    package var fields: [HTTPField] = []

    /// Returns the value of the first field of this name.
    package func first(_ name: String) -> String? { fields.first { $0.isNamed(name) }?.value }
}

/// A piece of a response: first the head, then pieces of the body as the server sent them.
package enum HTTPResponsePart: Sendable, Equatable {
    case head(HTTPResponseHead)
    case body([UInt8])
}

/// Reads a response while it arrives.
///
/// Letting the reader go, or cancelling the task that reads, ends the transfer and closes its connection unless the
/// response was read to its end. One task at a time may wait for the next part.
package struct HTTPClientResponse: ~Copyable, Sendable {
    private let exchange: Exchange
    private let inbox: TransferInbox
    /// Keeps the client alive: a released client ends its transfers.
    private let client: HTTPClient

    init(_ exchange: Exchange, _ inbox: TransferInbox, of client: HTTPClient) {
        (self.exchange, self.inbox, self.client) = (exchange, inbox, client)
    }

    deinit { abandon() }

    /// Returns the next part, or nil at the end of the response.
    ///
    /// - Throws: `cancelled` at once when the task is cancelled; any other error after all parts that came before it.
    package func next() async throws(HTTPClientError) -> HTTPResponsePart? {
        let (exchange, inbox) = (exchange, inbox)
        let step = await withTaskCancellationHandler {
            await exchange.next()
        } onCancel: {
            if exchange.finish(.cancelled) { inbox.post(.cancel(exchange)) }
        }
        if step.resumes { inbox.post(.resume(exchange)) }
        return try step.result.get()
    }

    /// Sets the deadline: the transfer fails with `timedOut` when nothing else ended it after `time`. A later call
    /// replaces an earlier one.
    package func allow(_ time: Duration) {
        if exchange.setDeadline(.now + time) { inbox.post(.watch(exchange)) }
    }

    /// Removes the deadline. The time that the reader needs does not count against the server.
    package func pauseDeadline() { _ = exchange.setDeadline(nil) }

    private func abandon() {
        if exchange.finish(.cancelled) { inbox.post(.cancel(exchange)) }
    }
}
