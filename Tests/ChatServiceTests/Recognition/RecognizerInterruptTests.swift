import TestSupport
import Testing

@testable import ChatService

/// An interrupt may come when the answer is there already: the child it killed must not be blamed on whoever is next.
@Suite("Interrupts that come late")
struct RecognizerInterruptTests {
    @Test func theNextDocumentDoesNotMeetAChildThatWasKilled() async throws {
        let note = Fixture("documents/note_utf8.txt")
        try await withRecognizer { recognizer in
            for round in 0..<150 {
                _ = try await recognizer.open(path: note.file.path, type: .text)
                let page = Task { try await recognizer.recognizePage(1) }
                // From before its beginning to after its end.
                for _ in 0..<(round * 3) { await Task.yield() }
                recognizer.interrupt()
                switch await page.result {
                case .success(let text): #expect(text != .text(""))
                case .failure(let failure): #expect(failure as? RecognitionFailure == .cancelled)
                }
            }
        }
    }
}
