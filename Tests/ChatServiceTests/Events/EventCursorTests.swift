import Shared
import Testing

@testable import ChatService

@Suite struct EventCursorTests {
    @Test func aCursorIsReadAsItWasWritten() throws {
        let digest = TextDigest(of: "Да")
        for cursor in [
            EventCursor(change: 0), EventCursor(change: 57),
            EventCursor(
                change: .max,
                drafts: [
                    .init(messageID: 8812, offset: 340, digest: digest), .init(messageID: 9, offset: 0, digest: digest),
                ]),
        ] {
            #expect(try EventCursor(cursor.text) == cursor)
        }
    }

    @Test(arguments: [
        "", "x", "-1", "01", "1-", "1-2", "1-2.3", "1-2.3.zz", "1-2.3.+1", "1-0.3.a", "1-2.-3.a", "1-2.3.a.b", "1 ",
        "1-2.99999999999.a", "99999999999999999999", "1-2.3.00000000000000001", "1--2.3.a", "1-2.3.",
        String(repeating: "1-2.3.a", count: 200),
    ])
    func anythingElseIsRefused(text: String) {
        #expect(throws: Problem.self) { try EventCursor(text) }
    }

    @Test func moreAnswersThanFitAreLeftOut() throws {
        let drafts = (1...20).map { EventCursor.Draft(messageID: $0, offset: 1, digest: TextDigest()) }
        #expect(try EventCursor(EventCursor(change: 1, drafts: drafts).text).drafts == Array(drafts.prefix(8)))
    }

    /// The published test vectors of FNV-1a.
    @Test func theDigestIsFNV1a() {
        #expect(TextDigest(of: "").text == "cbf29ce484222325")
        #expect(TextDigest(of: "a").text == "af63dc4c8601ec8c")
        #expect(TextDigest(of: "foobar").text == "85944171f73967e8")
    }

    @Test func announcementsAreReadByOthersAndAreNotTooLong() {
        var signals: [Int: EventSignals] = [7: [.changes, .deltas], 8: .changes, 9: .deltas]
        let payload = EventAnnouncement.payloads(of: signals, by: "me", bytesMax: 100)
        #expect(payload.count == 1)
        let read = EventAnnouncement.read(payload[0], except: "you")
        #expect(Dictionary(read.map { ($0.conversationID, $0.signals) }) { $1 } == signals)
        #expect(EventAnnouncement.read(payload[0], except: "me").isEmpty)
        for id in 1...1000 { signals[id * 1_000_000] = .changes }
        let many = EventAnnouncement.payloads(of: signals, by: "me", bytesMax: 500)
        #expect(many.allSatisfy { $0.utf8.count <= 500 })
        #expect(many.flatMap { EventAnnouncement.read($0, except: "you") }.count == signals.count)
        for odd in ["", "x", "x ", "x y", "x ,,", "x -1m", "x 99999999999999999999m"] {
            #expect(EventAnnouncement.read(odd, except: "me").isEmpty)
        }
    }
}
