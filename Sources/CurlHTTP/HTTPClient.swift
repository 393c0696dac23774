import CCurl
import Foundation

/// An HTTP/1.1 client on libcurl's multi interface.
///
/// One thread drives every transfer (libcurl-multi(3)). Tasks reach it through an inbox, and no handle leaves it.
/// Connections are kept and used again. Redirects are not followed: they would carry a request's secrets to a place
/// that nobody configured. Certificates come from the system's store. HTTP/2 stays off: libcurl would keep up to 32 MiB
/// of each paused stream in memory.
///
/// A proxy is used for `https` alone, and only if the environment names one (`https_proxy`, `all_proxy`, `no_proxy`, as
/// in curl(1)): a proxy could read plain requests.
package final class HTTPClient: Sendable {
    /// The bounds of a client.
    package struct Settings: Sendable {
        /// The longest time for resolving a name, connecting, and the TLS handshake, together.
        package var connectTime: Duration
        /// The number of transfers that may run at once. Others wait up to `connectTime` for a place.
        package var concurrency: Int

        package init(connectTime: Duration = .seconds(5), concurrency: Int = 256) {
            (self.connectTime, self.concurrency) = (connectTime, concurrency)
        }
    }

    private let inbox: TransferInbox

    /// Starts the client's thread.
    package init(_ settings: Settings = Settings()) {
        let inbox = TransferInbox()
        self.inbox = inbox
        let thread = Thread { TransferLoop(settings, inbox).run() }
        thread.name = "http client"
        thread.stackSize = 512 * 1024
        thread.start()
    }

    deinit { inbox.post(.shutDown(nil)) }

    /// Sends a request and returns the reader of its response.
    package func send(_ request: HTTPClientRequest) -> HTTPClientResponse {
        let exchange = Exchange(request)
        if request.isWellFormed {
            inbox.post(.start(exchange))
        } else {
            _ = exchange.finish(.invalidRequest)
        }
        return HTTPClientResponse(exchange, inbox, of: self)
    }

    /// Ends every transfer with `shutDown`, closes the connections, and returns when the thread has let them go.
    package func shutDown() async {
        await withCheckedContinuation { inbox.post(.shutDown($0)) }
    }
}
