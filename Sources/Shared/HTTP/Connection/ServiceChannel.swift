import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// One HTTP/1.1 connection: Hummingbird's pipeline with our guard in it.
struct ServiceChannel: HTTPChannelHandler {
    typealias Value = AcceptedConnection<HTTPRequestPart, HTTPResponsePart>

    /// NIO begins with four times as much, and it is kept for as long as the connection: requests and bodies that do
    /// not fit make it grow.
    private static let receiving = AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 512, maximum: 65_536)

    let responder: Responder
    let limits: HTTPLimits

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.syncOptions?.setOption(.recvAllocator, value: Self.receiving)
            let pipeline = channel.pipeline.syncOperations
            let guardian = ConnectionGuard(limits: limits)
            try pipeline.addHandler(ArrivalWatch(guardian: guardian))
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false,
                withErrorHandling: false,
                withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(),
                withDecoderLimitConfiguration: limits.decoder
            )
            try pipeline.addHandler(guardian)
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            let idle = Duration.seconds(limits.idleSeconds)
            try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: idle, logger: logger))
            return try Value(
                NIOAsyncChannel(
                    wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true)))
        }
    }

    func handle(value: Value, logger: Logger) async {
        await value.serve { await handleHTTP(asyncChannel: $0, logger: logger) }
    }
}

extension HTTPLimits {
    fileprivate var decoder: NIOHTTPDecoderLimitConfiguration {
        var decoder = NIOHTTPDecoderLimitConfiguration()
        decoder.maxHeaderFieldSize = headerFieldBytesMax
        decoder.maxHeaderListSize = headerBytesMax
        decoder.maxHeaderFieldCount = headerFieldsMax
        return decoder
    }

    /// HTTP/1.1 with these bounds.
    func server() -> HTTPServerBuilder {
        HTTPServerBuilder { responder in ServiceChannel(responder: responder, limits: self) }
    }
}

extension Channel {
    /// Tells a client that waits for it to send its body; nothing for any other, and nothing in a test without socket.
    func continueRequest() {
        triggerUserOutboundEvent(ConnectionGuard.ContinueRequest(), promise: nil)
    }
}
