/// The pieces of an answer between the model and one reader, bounded: a reader that is too slow misses pieces, and has the whole
/// text in the last event all the same. It never holds up the model.
final class DeltaBuffer: Sendable {
    /// Pieces that may wait for a slow reader; a piece is a few bytes, an answer a few thousand pieces.
    static let piecesMax = 16_384

    /// To be read by one task.
    let texts: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init() {
        (texts, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.piecesMax))
    }

    func add(_ text: String) {
        continuation.yield(text)
    }

    /// Ends `texts` once what waits was read.
    func finish() {
        continuation.finish()
    }
}
