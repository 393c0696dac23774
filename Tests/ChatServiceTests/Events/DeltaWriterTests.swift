import Shared
import TestSupport
import Testing

@testable import ChatService

@Suite("Pieces of answers on their way")
struct DeltaWriterTests {
    /// A cancel writes what waits at once, whatever the writer itself is doing.
    @Test func writesThatMeetTakeEachPieceOnce() async throws {
        try await ChatFixture.with(isRelaxed: true) { fixture in
            let frame = HTTPFrame(name: "test", settings: HTTPSettings())
            let hub = EventHub(
                database: fixture.database, revoked: RevokedSessions(), drain: frame.drain, logger: .quiet)
            let writer = DeltaWriter(database: fixture.database, events: hub, logger: .quiet)
            let job = try await fixture.accept().job
            let texts = (0..<200).map { "\($0) " }
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for text in texts {
                        writer.add(text, to: job)
                        await writer.flush()
                    }
                }
                for _ in 0..<4 { group.addTask { for _ in 0..<50 { await writer.flush() } } }
            }
            await writer.flush()
            let rows = try await fixture.database.deltas(
                ofConversation: fixture.conversationID, after: [], limit: 1000)
            var position = 0
            for row in rows {
                #expect(row.position == position)
                position += row.text.utf16.count
            }
            #expect(rows.map(\.text).joined() == texts.joined())
            #expect(await writer.close(job.fence), "rows are there")
        }
    }
}
