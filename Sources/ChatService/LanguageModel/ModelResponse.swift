import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// The response of a model server, taken from the connection as it comes.
///
/// AsyncHTTPClient's own sequence takes a piece when its reader asks for one, and forgets what came unasked: NIO reads
/// to its end whatever a connection holds that the other side closes. A server that says its last words and goes would
/// be cut short whenever the reader was busy. So pieces are taken ahead of the reader here, up to a bound.
///
/// That holds only if the client has a single event loop: a demand that had to change threads would come too late. And
/// it holds for 50 pieces that arrive in one read; what is beyond is handed on with the next turn of the event loop.
final class ModelResponse: HTTPClientResponseDelegate {
    /// First the head, then pieces of the body.
    enum Part: Sendable {
        case head(HTTPResponseHead)
        case body(ByteBuffer)

        /// How much waits with it, in bytes; a small piece keeps the buffer that it was read into.
        fileprivate var cost: Int {
            switch self {
            case .head: 0
            case .body(let bytes): max(bytes.readableBytes, 2048)
            }
        }
    }

    /// Reads a response. Whoever lets it go before the end, or is cancelled, closes the connection.
    struct Reader {
        fileprivate var parts: AsyncThrowingStream<Part, any Error>.Iterator
        fileprivate let response: ModelResponse

        /// The next part; nil at the end, or when the task is cancelled.
        /// - Throws: the error of the connection, after all that had come before it.
        mutating func next() async throws -> Part? {
            guard let part = try await parts.next() else { return nil }
            response.isRead(part)
            return part
        }
    }

    /// How much may wait for the reader, in bytes: at least 1,024 pieces. Half of it must be read until more is taken.
    private static let waitingBytesMax = 2 << 20

    private struct State {
        var waitingBytes = 0
        /// Kept while the reader is behind.
        var resumption: EventLoopPromise<Void>?
    }

    private let state = Mutex(State())
    private let parts: AsyncThrowingStream<Part, any Error>.Continuation

    private init(_ parts: AsyncThrowingStream<Part, any Error>.Continuation) {
        self.parts = parts
    }

    /// Sends a request.
    ///
    /// - Parameter client: one with a single event loop.
    static func reader(of request: HTTPClient.Request, by client: HTTPClient) -> Reader {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: Part.self)
        let response = ModelResponse(continuation)
        let task = client.execute(request: request, delegate: response)
        continuation.onTermination = { [weak response] _ in
            task.cancel()
            response?.resume()
        }
        // A client that was shut down tells nobody else.
        task.futureResult.whenFailure { continuation.finish(throwing: $0) }
        return Reader(parts: stream.makeAsyncIterator(), response: response)
    }

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        take(.head(head), on: task.eventLoop)
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        take(.body(buffer), on: task.eventLoop)
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) {
        parts.finish()
    }

    private func take(_ part: Part, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let resumption = state.withLock { state -> EventLoopPromise<Void>? in
            state.waitingBytes += part.cost
            guard state.waitingBytes > Self.waitingBytesMax else { return nil }
            let resumption = eventLoop.makePromise(of: Void.self)
            state.resumption = resumption
            return resumption
        }
        // The reader may have it at once, and go on to take `resumption` back.
        if case .terminated = parts.yield(part) { resume() }
        return resumption?.futureResult ?? eventLoop.makeSucceededVoidFuture()
    }

    private func isRead(_ part: Part) {
        let isEnough = state.withLock { state in
            state.waitingBytes -= part.cost
            return state.waitingBytes <= Self.waitingBytesMax / 2
        }
        if isEnough { resume() }
    }

    private func resume() {
        state.withLock { $0.resumption.take() }?.succeed()
    }
}
