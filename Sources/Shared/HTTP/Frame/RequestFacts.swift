import Hummingbird
import Logging
import NIOCore
import Synchronization

/// What the frame finds out about one request, once; shared by every copy of its context.
final class RequestFacts: Sendable {
    /// Stands in before the frame has seen the request.
    static let unknown = RequestFacts(
        requestID: "unknown", forwardedFor: [], trustedProxies: TrustedProxies([]), serviceLogger: Logger(label: "http")
    )

    let requestID: String
    private let forwardedFor: [String]
    private let trustedProxies: TrustedProxies
    private let serviceLogger: Logger
    /// The signed-in user, 0 while there is none; for the request log, which is outside of the route.
    let userID = Atomic<Int>(0)

    /// - Parameter forwardedFor: the values of the request's `X-Forwarded-For` fields, in their order.
    init(requestID: String, forwardedFor: [String], trustedProxies: TrustedProxies, serviceLogger: Logger) {
        self.requestID = requestID
        self.forwardedFor = forwardedFor
        self.trustedProxies = trustedProxies
        self.serviceLogger = serviceLogger
    }

    func clientAddress(of channel: any Channel) -> String {
        guard let peer = channel.remoteAddress.flatMap(IPAddress.init) else { return "unknown" }
        return trustedProxies.client(peer: peer, forwardedFor: forwardedFor).description
    }

    /// The service's logger with the request's id.
    var logger: Logger {
        var logger = serviceLogger
        logger[metadataKey: "request_id"] = .string(requestID)
        return logger
    }
}
