/// An answer on its way from the pool to one reader, bounded: a reader that is too slow misses pieces, and has the
/// whole text in the last event all the same. It never holds up the model.
final class AnswerProgress: Sendable {
    /// Pieces that may wait for a slow reader; a piece is a few bytes, an answer a few thousand pieces.
    static let piecesMax = 16_384

    /// The text as the model writes it; to be read by one task.
    let texts: AsyncStream<String>
    private let pieces: AsyncStream<String>.Continuation
    private let outcomes: AsyncStream<AnswerOutcome>
    private let ending: AsyncStream<AnswerOutcome>.Continuation

    init() {
        (texts, pieces) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.piecesMax))
        (outcomes, ending) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    @Sendable func add(_ text: String) {
        pieces.yield(text)
    }

    /// Adds an empty piece from time to time, until the task is cancelled: something to say while the model thinks.
    func ping(every interval: Duration) async {
        while (try? await Task.sleep(for: interval)) != nil { pieces.yield("") }
    }

    /// Says how it ended; `texts` ends once what waits was read.
    func end(_ outcome: AnswerOutcome) {
        ending.yield(outcome)
        pieces.finish()
    }

    /// How it ended; waits for the end. To be called once.
    func outcome() async -> AnswerOutcome {
        await outcomes.first { _ in true } ?? .handedOver
    }
}
