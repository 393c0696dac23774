import TestSupport
import Testing

@testable import ChatService

@Suite struct AnswerProgressTests {
    /// What a reader sees of it is a comment, which keeps proxies from closing the stream.
    @Test func whileTheModelThinksThereIsSomethingToSayAndTheTextStaysWhole() async throws {
        let progress = AnswerProgress()
        let pinging = Task { await progress.ping(every: .milliseconds(1)) }
        var (pings, text) = (0, "")
        for await piece in progress.texts {
            text += piece
            guard piece.isEmpty else { continue }
            pings += 1
            if pings == 1 { progress.add("All is ") }
            if pings == 2 { progress.add("well.") }
            if pings == 3 { progress.end(.handedOver) }
        }
        #expect(pings >= 3)
        #expect(text == "All is well.")
        pinging.cancel()
        await pinging.value
    }
}
