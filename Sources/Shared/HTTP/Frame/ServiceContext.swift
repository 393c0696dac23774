package import Hummingbird
package import Logging
package import NIOCore

/// What travels with a request through the frame and the routes that need no user.
package struct ServiceContext: RequestContext, Sendable {
    package var coreContext: CoreRequestContextStorage
    package let channel: any Channel
    /// Set by the frame before anything else sees the request.
    var facts: RequestFacts
    /// Set by `authenticated(with:)`.
    var identity: AccessIdentity?

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
        facts = .unknown
    }

    /// Identifies the request in the answer, in every log line and in every problem.
    package var requestID: String { facts.requestID }

    /// The address of the client, without port; behind a trusted proxy, the one that the proxy saw. "unknown" when
    /// there is no connection (tests that call the router) or it is gone.
    package var clientAddress: String { facts.clientAddress(of: channel) }

    /// The service's logger with the request's id; made when it is asked for, because most requests never log.
    package var logger: Logger { facts.logger }
}

/// What travels with a request of a signed-in user. Cannot be made without one, so a handler that needs a user cannot
/// be mounted where there is none.
package struct AuthenticatedContext: ChildRequestContext {
    package typealias ParentContext = ServiceContext

    package var coreContext: CoreRequestContextStorage
    private let parent: ServiceContext
    /// Who is calling, by the access token.
    package let identity: AccessIdentity

    package init(context: ServiceContext) throws {
        guard let identity = context.identity else { throw Problem(.invalidToken) }
        self.identity = identity
        coreContext = context.coreContext
        parent = context
    }

    package var requestID: String { parent.requestID }
    package var clientAddress: String { parent.clientAddress }
    package var logger: Logger { parent.logger }
    package var channel: any Channel { parent.channel }
}

/// What the handlers of both kinds of routes may ask.
package protocol RequestDescribing: RequestContext {
    var requestID: String { get }
    var clientAddress: String { get }
    var logger: Logger { get }
    /// The connection of the request.
    var channel: any Channel { get }
}

extension ServiceContext: RequestDescribing {}
extension AuthenticatedContext: RequestDescribing {}

extension RequestDescribing {
    /// The path parameter `name` as an id: a positive 64-bit integer in plain decimal.
    package func id(_ name: String) throws -> Int {
        guard let text = parameters[name[...]], let id = Int(positiveDecimal: text) else { throw Problem(.invalidID) }
        return id
    }
}

extension Int {
    /// Reads 1…Int.max written in ASCII digits only: no sign, no blank, at most 19 digits.
    package init?(positiveDecimal text: some StringProtocol) {
        let digits = text.utf8
        guard (1...19).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        guard let value = Int(text), value > 0 else { return nil }
        self = value
    }
}
