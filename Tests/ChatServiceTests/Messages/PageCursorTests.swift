import Shared
import Testing

@testable import ChatService

@Suite struct PageCursorTests {
    @Test(arguments: [0, 1, 1_767_225_600_123_456, -5])
    func aCursorIsReadBackAsItWasWritten(microseconds: Int64) throws {
        let cursor = PageCursor(time: Timestamp(microseconds: microseconds), id: 42)
        #expect(try PageCursor(cursor.text) == cursor)
    }

    @Test(arguments: ["", "x", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAQ==", "../../etc", "é"])
    func anythingElseIsRefused(text: String) {
        #expect { try PageCursor(text) } throws: { ($0 as? Problem)?.code == .invalidCursor }
    }
}
