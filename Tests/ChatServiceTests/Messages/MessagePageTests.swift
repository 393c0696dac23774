import Shared
import Testing

@testable import ChatService

@Suite("Pages of the history")
struct MessagePageTests {
    @Test(arguments: [PageOrder.ascending, .descending])
    func aPageIsBoundedInBytesAndThePagesTogetherAreTheHistory(order: PageOrder) async throws {
        try await ChatFixture.with { fixture in
            var ids: [Int] = []
            for number in 0..<6 { ids.append(try await fixture.accept("question \(number)").job.questionID) }
            // Two of them reach the bound of a page.
            try await fixture.database.query("update chat.messages set content = repeat('x', 3000000)")
            var seen: [Int] = []
            var sizes: [Int] = []
            var cursor: PageCursor?
            repeat {
                let page = try #require(try await page(fixture, cursor, order, limit: 5))
                seen += page.rows.compactMap(\.messagePosition?.id)
                sizes.append(page.rows.count)
                cursor = page.next
            } while cursor != nil
            #expect(seen == (order == .ascending ? ids : ids.reversed()))
            #expect(sizes == [2, 2, 2])
        }
    }

    @Test func aPageOfAsManyMessagesAsThereAreIsTheLast() async throws {
        try await ChatFixture.with { fixture in
            #expect(try #require(try await page(fixture, nil, .ascending, limit: 3)).rows.isEmpty)
            for number in 0..<3 { _ = try await fixture.accept("question \(number)") }
            let whole = try #require(try await page(fixture, nil, .ascending, limit: 3))
            #expect(whole.rows.count == 3 && whole.next == nil)
            let first = try #require(try await page(fixture, nil, .ascending, limit: 2))
            #expect(first.rows.count == 2 && first.next != nil)
            let second = try #require(try await page(fixture, first.next, .ascending, limit: 2))
            #expect(second.rows.count == 1 && second.next == nil)
            let behind = try #require(try await page(fixture, whole.rows.last?.messagePosition, .ascending, limit: 2))
            #expect(behind.rows.isEmpty && behind.next == nil)
        }
    }

    private func page(_ fixture: ChatFixture, _ cursor: PageCursor?, _ order: PageOrder, limit: Int) async throws
        -> MessagePage?
    {
        try await fixture.database.messages(
            inConversation: fixture.conversationID, userID: fixture.userID, after: cursor, order: order, limit: limit)
    }
}
