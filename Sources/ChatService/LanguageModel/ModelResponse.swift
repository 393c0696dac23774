import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// The response of a model server, taken from the connection as it comes.
///
/// AsyncHTTPClient's own sequence takes a piece when its reader asks for one, and forgets what came unasked: NIO reads
/// to its end whatever a connection holds that the other side closes. A server that says its last words and goes would
/// be cut short whenever the reader was busy. So pieces are taken ahead of the reader here, up to a bound. That holds
/// only if the client has a single event loop: a demand that had to change threads would come too late.
final class ModelResponse: HTTPClientResponseDelegate, NIOAsyncSequenceProducerDelegate {
    /// First the head, then pieces of the body.
    enum Part: Sendable {
        case head(HTTPResponseHead)
        case body(ByteBuffer)
    }

    typealias Parts = NIOThrowingAsyncSequenceProducer<
        Part, any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, ModelResponse
    >

    /// How many parts may wait for the reader, each at most what one read of the connection brings (64 KiB); and how
    /// few must be left until more are taken.
    private static let waitingPartsMax = 32
    private static let waitingPartsMin = 8

    private struct State {
        var source: Parts.Source?
        var task: HTTPClient.Task<Void>?
        /// Kept while the reader is behind.
        var resumption: EventLoopPromise<Void>?
    }

    private let state = Mutex(State())

    private init() {}

    /// Sends a request; the response is read while the sequence is, and ends with it: whoever lets it go or is
    /// cancelled closes the connection.
    ///
    /// - Parameter client: one with a single event loop.
    static func parts(of request: HTTPClient.Request, by client: HTTPClient) -> Parts {
        let response = ModelResponse()
        let made = Parts.makeSequence(
            elementType: Part.self, failureType: (any Error).self,
            backPressureStrategy: .init(lowWatermark: waitingPartsMin, highWatermark: waitingPartsMax),
            finishOnDeinit: false, delegate: response)
        response.state.withLock { $0.source = made.source }
        let task = client.execute(request: request, delegate: response)
        response.state.withLock { $0.task = task }
        return made.sequence
    }

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        take(.head(head), on: task.eventLoop)
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        take(.body(buffer), on: task.eventLoop)
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) {
        state.withLock { $0.source }?.finish()
    }

    func didReceiveError(task: HTTPClient.Task<Void>, _ error: any Error) {
        state.withLock { $0.source }?.finish(error)
    }

    func produceMore() {
        state.withLock { $0.resumption.take() }?.succeed()
    }

    func didTerminate() {
        let ended = state.withLock { state in
            defer { state = State() }
            return state
        }
        ended.resumption?.succeed()
        ended.task?.cancel()
    }

    /// Yields under the lock: the reader may ask for more before the promise of it is kept.
    private func take(_ part: Part, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        state.withLock { state in
            guard case .stopProducing? = state.source?.yield(part) else { return eventLoop.makeSucceededVoidFuture() }
            let resumption = eventLoop.makePromise(of: Void.self)
            state.resumption = resumption
            return resumption.futureResult
        }
    }
}
