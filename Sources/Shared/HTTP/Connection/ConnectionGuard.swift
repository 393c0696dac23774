import HTTPTypes
import NIOCore
import NIOHTTP1

/// Applies `ConnectionRules` to a channel, between the HTTP/1.1 decoder and everything else; answers what is no HTTP,
/// so that nothing below the frame goes without a problem document.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Sent down the pipeline by a route that wants the body of a request with `Expect: 100-continue`.
    struct ContinueRequest: Sendable {}

    /// The body did not arrive in time.
    struct BodyTooSlow: Error {}

    private var rules: ConnectionRules
    private var timer: Scheduled<Void>?
    /// When `timer` goes off.
    private var timerDeadline = NIODeadline.distantFuture
    /// Of the request that is answered now; HTTP/1.0 knows no chunks.
    private var versions = CircularBuffer<HTTPVersion>(initialCapacity: 2)
    private var refusal: ProblemCode?

    init(limits: HTTPLimits) {
        rules = ConnectionRules(limits: limits)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        context.fireChannelInactive()
    }

    // MARK: Inbound

    /// Called for raw bytes, before the decoder has seen them.
    func bytesArrived() {
        rules.bytesArrived(.now())
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard rules.isReading else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            if let violation = RequestHeadRules.violation(of: head) { return refuse(violation, context) }
            rules.headArrived(
                contentLength: RequestHeadRules.bodyBytes(of: head), awaitsContinue: head.awaitsContinue,
                isKeepAlive: head.isKeepAlive
            )
            versions.append(head.version)
        case .body(let bytes): rules.bodyArrived(bytes: bytes.readableBytes, .now())
        case .end: rules.endArrived()
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        schedule(context)
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        rules.readRequested(.now())
        schedule(context)
        context.read()
    }

    /// Not passed on: the handlers behind would cut an idle connection on which a proxy's request is under way.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent else { return context.fireUserInboundEventTriggered(event) }
        rules.quiesce(.now())
        schedule(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError, rules.isReading else { return context.fireErrorCaught(error) }
        let isOverflow = if case .headerOverflow? = error as? HTTPParserError { true } else { false }
        if rules.parsingFailed() {
            context.fireErrorCaught(error)
        } else {
            refuse(isOverflow ? .headerTooLarge : .invalidRequest, context)
        }
    }

    // MARK: Outbound

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where !head.status.isInformational:
            let version = versions.first ?? .http1_1
            let saysClose = !head.isKeepAlive
            head.headers.remove(name: "Connection")
            if version.knowsNoChunks { head.version = version }
            if rules.answerBegins(saysClose: saysClose) {
                head.headers.add(name: "Connection", value: "close")
            } else if version.knowsNoChunks {
                head.headers.add(name: "Connection", value: "keep-alive")
            }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            context.write(data, promise: promise)
            if !versions.isEmpty { versions.removeFirst() }
            let closes = rules.answerEnded()
            if let refusal, rules.answersDue <= 0 { answer(refusal, context) } else if closes { linger(context) }
        default: context.write(data, promise: promise)
        }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is ContinueRequest else { return context.triggerUserOutboundEvent(event, promise: promise) }
        if rules.continues() {
            let head = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
        }
        promise?.succeed()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        rules.writability(context.channel.isWritable, .now())
        schedule(context)
        context.fireChannelWritabilityChanged()
    }

    // MARK: Ends

    /// Answers a request that no route will see, after those before it.
    private func refuse(_ code: ProblemCode, _ context: ChannelHandlerContext) {
        _ = rules.parsingFailed()
        if rules.answersDue <= 0 { answer(code, context) } else { refusal = code }
    }

    private func answer(_ code: ProblemCode, _ context: ChannelHandlerContext) {
        refusal = nil
        let requestID = RequestID.make()
        let body = Problem(code).body(requestID: requestID)
        let head = HTTPResponseHead(
            version: .http1_1, status: .init(statusCode: code.status),
            headers: [
                "Content-Type": "application/problem+json", "Content-Length": String(body.readableBytes),
                "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Request-Id": requestID,
                "Connection": "close",
            ]
        )
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.write(wrapOutboundOut(.end(nil)), promise: nil)
        linger(context)
    }

    /// Half-closes once everything is written, so that the client reads the answer before a reset could overtake it
    /// (RFC 9112, section 9.6), and closes a little later.
    private func linger(_ context: ChannelHandlerContext) {
        rules.lingers(.now())
        context.flush()
        context.close(mode: .output, promise: nil)
        schedule(context)
    }

    // MARK: Time

    /// At most one timer a connection, and none for a request that arrives whole and is answered at once. One that is
    /// set stays when the deadline moves on, since it looks again when it goes off, and makes room for an earlier one:
    /// a connection that lingers must not stay open for as long as its body could have taken.
    private func schedule(_ context: ChannelHandlerContext) {
        guard let deadline = rules.deadline, timer == nil || deadline < timerDeadline else { return }
        timer?.cancel()
        timerDeadline = deadline
        let loop = context.eventLoop.assumeIsolated()
        timer = loop.scheduleTask(deadline: deadline) {
            self.timer = nil
            self.timerFired(context)
        }
    }

    private func timerFired(_ context: ChannelHandlerContext) {
        switch rules.expiry(.now()) {
        case nil: break
        case .refuse: answer(.requestTimeout, context)
        case .failBody: context.fireErrorCaught(BodyTooSlow())
        case .close: return context.close(promise: nil)
        }
        schedule(context)
    }
}

/// Tells the guard of raw bytes: a header that never ends is invisible behind the decoder.
final class ArrivalWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let guardian: ConnectionGuard

    init(guardian: ConnectionGuard) {
        self.guardian = guardian
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guardian.bytesArrived()
        context.fireChannelRead(data)
    }
}

extension HTTPResponseStatus {
    fileprivate var isInformational: Bool { (100..<200).contains(code) }
}

extension HTTPRequestHead {
    fileprivate var awaitsContinue: Bool {
        !version.knowsNoChunks && headers.first(name: "Expect")?.lowercased() == "100-continue"
    }
}
