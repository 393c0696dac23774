import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Shared
import Synchronization

/// An OpenAI-compatible server on a port of 127.0.0.1 that does exactly what its script says.
///
/// The script gets each request with its number (from 0, over all connections) and returns the steps of the answer, so
/// a test can play slow, broken, cut and hanging servers. Requests and closed connections are kept for looking at, and
/// can be waited for.
package final class ScriptedModelServer: Sendable {
    /// A request as it arrived.
    package struct Request: Sendable {
        package var method: String
        package var path: String
        package var headers: [String: String]
        package var body: String
    }

    /// One step of an answer.
    package enum Step: Sendable {
        /// Status and header fields; the body is chunked unless a field gives its length.
        case head(Int, [String: String] = [:])
        /// One chunk of the body, sent at once.
        case body(String)
        case bytes([UInt8])
        /// Each byte a chunk of its own.
        case eachByte(String)
        case pause(Duration)
        /// Runs something of the test's: for what it does at this step.
        case call(@Sendable () -> Void)
        /// Until `ScriptedModelServer.release` is called.
        case wait
        /// Until the client goes away.
        case hang
        /// Closes the connection without ending the answer.
        case drop
        /// Resets the connection: what the kernel has not sent yet is lost.
        case reset
    }

    package typealias Script = @Sendable (Int, Request) -> [Step]

    package let port: Int
    /// For `LLM_BASE_URL`.
    package var baseURL: String { "http://127.0.0.1:\(port)/v1" }

    private let log: Events
    private let script: Script

    /// Runs a server while `body` runs.
    /// - Parameter isKeepingRequests: false for a load of hours: `requests` stays empty then.
    package static func run<Result>(
        isKeepingRequests: Bool = true, _ script: @escaping Script, _ body: (ScriptedModelServer) async throws -> Result
    ) async throws -> Result {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 2_048)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try pipeline.addHandler(ResponseWriter())
                    return try Connection(NIOAsyncChannel(wrappingChannelSynchronously: channel))
                }
            }
        let server = ScriptedModelServer(
            port: listener.channel.localAddress?.port ?? 0, log: Events(isKeepingRequests), script: script)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.serve(listener) }
            defer { group.cancelAll() }
            return try await body(server)
        }
    }

    /// Runs a server that plays one answer after the other, the last again and again.
    package static func run<Result>(
        replies: [[Step]], _ body: (ScriptedModelServer) async throws -> Result
    ) async throws -> Result {
        try await run({ index, _ in replies[min(index, replies.count - 1)] }, body)
    }

    /// What has been asked so far.
    package var requests: [Request] { log.requests }

    /// How many connections there were so far.
    package var connectionsOpened: Int { log.connections }

    /// Returns when so many requests have arrived in full.
    package func waitForRequests(_ count: Int) async { await log.wait { $0.requestCount >= count } }

    /// Returns when so many connections have ended, by whomever.
    package func waitForDisconnects(_ count: Int) async { await log.wait { $0.disconnects >= count } }

    /// Lets every `wait`, present and future, go on.
    package func release() { log.change { $0.isReleased = true } }

    private typealias Connection = AcceptedConnection<HTTPServerRequestPart, HTTPPart<HTTPResponseHead, ByteBuffer>>
    private typealias Parts = NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator
    private typealias Writer = NIOAsyncChannelOutboundWriter<HTTPPart<HTTPResponseHead, ByteBuffer>>

    private init(port: Int, log: Events, script: @escaping Script) {
        self.port = port
        self.log = log
        self.script = script
    }

    private func serve(_ listener: NIOAsyncChannel<Connection, Never>) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            try await listener.executeThenClose { connections in
                for try await connection in connections {
                    log.change { $0.connections += 1 }
                    group.addTask {
                        // The client may go away at any step; that is part of what is tested.
                        try? await self.serve(connection)
                        self.log.change { $0.disconnects += 1 }
                    }
                }
            }
        }
    }

    private func serve(_ connection: Connection) async throws {
        try await connection.serve { channel in
            try await channel.executeThenClose { inbound, outbound in
                var parts = inbound.makeAsyncIterator()
                while let request = try await read(&parts) {
                    let index = log.add(request)
                    guard try await play(script(index, request), &parts, outbound, channel.channel) else { return }
                }
            }
        }
    }

    private func read(_ parts: inout Parts) async throws -> Request? {
        guard case .head(let head)? = try await parts.next() else { return nil }
        var body = ByteBuffer()
        while case .body(var piece)? = try await parts.next() { body.writeBuffer(&piece) }
        let headers = Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
        return Request(
            method: head.method.rawValue, path: head.uri, headers: headers, body: String(buffer: body))
    }

    /// Returns false when the connection is to be closed.
    private func play(
        _ steps: [Step], _ parts: inout Parts, _ outbound: Writer, _ channel: any Channel
    ) async throws -> Bool {
        for step in steps {
            switch step {
            case .head(let status, let headers):
                let fields = HTTPHeaders(headers.map { ($0.key, $0.value) })
                let status = HTTPResponseStatus(statusCode: status)
                try await outbound.write(.head(HTTPResponseHead(version: .http1_1, status: status, headers: fields)))
            case .body(let text):
                try await outbound.write(.body(ByteBuffer(string: text)))
            case .bytes(let bytes):
                try await outbound.write(.body(ByteBuffer(bytes: bytes)))
            case .eachByte(let text):
                for byte in text.utf8 { try await outbound.write(.body(ByteBuffer(bytes: [byte]))) }
            case .pause(let time):
                try await Task.sleep(for: time)
            case .call(let body):
                body()
            case .wait:
                await log.wait { $0.isReleased }
            case .hang:
                _ = try await parts.next()
                return false
            case .drop:
                return false
            case .reset:
                // SO_LINGER with a time of 0, socket(7): close(2) sends a reset.
                try await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
                return false
            }
        }
        try await outbound.write(.end(nil))
        return true
    }
}

extension ScriptedModelServer.Step {
    /// The event of one chunk of a streamed answer.
    package static func delta(_ text: String) -> Self { .body(ScriptedModelServer.event(delta: text)) }

    /// The events that end a streamed answer: reason, usage, `[DONE]`.
    package static let finish = Self.body(
        """
        data: {"model":"scripted","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

        data: {"model":"scripted","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}

        data: [DONE]


        """)

    /// The head of a streamed answer.
    package static let streamHead = Self.head(200, ["Content-Type": "text/event-stream"])
}

extension ScriptedModelServer {
    /// A whole streamed answer in these pieces.
    package static func answer(_ pieces: String...) -> [Step] {
        [.streamHead] + pieces.map { .delta($0) } + [.finish]
    }

    /// A refusal with a JSON body.
    package static func refusal(_ status: Int, _ body: String = "{}", headers: [String: String] = [:]) -> [Step] {
        [.head(status, headers.merging(["Content-Type": "application/json"]) { given, _ in given }), .body(body)]
    }

    /// A chunk with some text as a server-sent event.
    package static func event(delta text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "\n": "\\n"
            default: String(scalar)
            }
        }
        let delta = #"{"content":"\#(escaped.joined())"}"#
        return #"data: {"model":"scripted","choices":[{"index":0,"delta":\#(delta)}]}"# + "\n\n"
    }
}

/// Turns parts with byte buffers, which may cross tasks, into the parts that the HTTP encoder takes.
private final class ResponseWriter: ChannelOutboundHandler {
    typealias OutboundIn = HTTPPart<HTTPResponseHead, ByteBuffer>
    typealias OutboundOut = HTTPServerResponsePart

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part: HTTPServerResponsePart =
            switch unwrapOutboundIn(data) {
            case .head(let head): .head(head)
            case .body(let buffer): .body(.byteBuffer(buffer))
            case .end(let trailers): .end(trailers)
            }
        context.write(wrapOutboundOut(part), promise: promise)
    }
}

/// What has happened on a server, with those who wait for it.
private final class Events: Sendable {
    /// What happened so far.
    struct State {
        var requests: [ScriptedModelServer.Request] = []
        var requestCount = 0
        var connections = 0
        var disconnects = 0
        var isReleased = false
    }

    private struct Waiter {
        var isMet: @Sendable (State) -> Bool
        var signal: AsyncStream<Never>.Continuation
    }

    private let state = Mutex((State(), [Waiter]()))
    private let isKeepingRequests: Bool

    init(_ isKeepingRequests: Bool) { self.isKeepingRequests = isKeepingRequests }

    var requests: [ScriptedModelServer.Request] { state.withLock { $0.0.requests } }

    var connections: Int { state.withLock { $0.0.connections } }

    /// The number of the request.
    func add(_ request: ScriptedModelServer.Request) -> Int {
        let isKept = isKeepingRequests
        return change { state in
            if isKept { state.requests.append(request) }
            state.requestCount += 1
            return state.requestCount - 1
        }
    }

    @discardableResult
    func change<Result: Sendable>(_ body: @Sendable (inout State) -> Result) -> Result {
        state.withLock { state in
            let result = body(&state.0)
            for waiter in state.1 where waiter.isMet(state.0) { waiter.signal.finish() }
            state.1.removeAll { $0.isMet(state.0) }
            return result
        }
    }

    /// Returns when the condition holds, or when the task is cancelled.
    func wait(until isMet: @escaping @Sendable (State) -> Bool) async {
        let (stream, signal) = AsyncStream.makeStream(of: Never.self)
        state.withLock { state in
            if isMet(state.0) { signal.finish() } else { state.1.append(Waiter(isMet: isMet, signal: signal)) }
        }
        for await _ in stream {}
    }
}
