import Foundation
import Shared
import Testing

@testable import ChatService

@Suite("The search over one's messages")
struct SearchTests {
    @Test func russianAndEnglishWordsAreFoundInTheirForms() async throws {
        try await with(["Договоры аренды расторгаются", "The tenants were terminating leases", "Погода"]) {
            fixture async throws in
            #expect(try await found("договор", fixture) == ["Договоры аренды расторгаются"])
            #expect(try await found("lease terminated", fixture) == ["The tenants were terminating leases"])
            #expect(try await found("погоды or tenant", fixture).count == 2)
            #expect(try await found("\"аренды расторгаются\"", fixture).count == 1)
            #expect(try await found("\"расторгаются аренды\"", fixture).isEmpty)
            #expect(try await found("договор -аренда", fixture).isEmpty)
            #expect(try await found("-погода", fixture).count == 2)
        }
    }

    @Test func onlyOnesOwnMessagesAreFound() async throws {
        try await with(["a secret lease"]) { fixture async throws in
            let hits = try await fixture.database.search("lease", userID: fixture.strangerID, after: nil, limit: 9)
            #expect(hits.isEmpty)
            #expect(try await found("lease", fixture).count == 1)
        }
    }

    @Test(arguments: [
        "'", "''", "\"", "((", "))", ":*", "a & | !", "!!", "\\", "<->", "or", "- -", "и", "the", "$1", "%",
        "\u{1}\u{2}",
        "'owner 1'", "owner 1", "👍🏽", "\u{FEFF}", "a:b:c:*", String(repeating: "(", count: 200),
    ])
    func anyTextIsASearch(words: String) async throws {
        try await with(["something"]) { fixture async throws in
            for userID in [fixture.userID, fixture.strangerID] {
                _ = try await fixture.database.search(words, userID: userID, after: nil, limit: 9)
            }
            #expect(try await found("owner \(fixture.userID)", fixture).isEmpty)
        }
    }

    @Test func pagesFollowEachOtherNewestFirst() async throws {
        try await with((0..<25).map { "lease number \($0)" }) { fixture async throws in
            var texts: [String] = []
            var cursor: PageCursor?
            while true {
                let page = try await fixture.database.search("lease", userID: fixture.userID, after: cursor, limit: 10)
                guard let last = page.last else { break }
                texts += page.map(\.snippet.text)
                cursor = PageCursor(time: last.createdAt, id: last.messageID)
            }
            #expect(texts == (0..<25).reversed().map { "lease number \($0)" })
        }
    }

    @Test func aMessageIsFoundByItsNewTextOnceItIsQueuedAgain() async throws {
        try await with(["before"]) { fixture async throws in
            try await fixture.database.query("update chat.messages set content = 'afterwards'")
            try await fixture.database.query("insert into chat.search_queue select id from chat.messages")
            _ = try await fixture.database.indexQueuedMessages(limit: 100)
            #expect(try await found("before", fixture).isEmpty)
            #expect(try await found("afterwards", fixture) == ["afterwards"])
            #expect(try await fixture.database.deleteConversation(fixture.conversationID, userID: fixture.userID))
            #expect(try await found("afterwards", fixture).isEmpty)
            #expect(try await fixture.count("searchable_messages") == 0)
        }
    }

    /// Two users with ten thousand messages each; the words are in all of them.
    @Test func theIndexFindsTheWordsOfOneUser() async throws {
        try await ChatFixture.with { fixture async throws in
            let other = try await fixture.database.insertConversation(
                userID: fixture.strangerID, title: "Other", businessContext: nil)
            for id in [fixture.conversationID, other.id] {
                try await fixture.database.query(
                    """
                    insert into chat.messages (conversation_id, role, status, content)
                    select \(id), 'user', 'completed', 'lease ' || n || case when n % 1000 = 0 then ' rare' else '' end
                    from generate_series(1, 10000) n
                    """)
            }
            try await fixture.database.query("insert into chat.search_queue select id from chat.messages")
            #expect(try await fixture.database.indexQueuedMessages(limit: 100_000) == 20_000)
            try await fixture.database.query("vacuum analyze chat.searchable_messages")
            var explain: SQL = "explain "
            explain.append(
                PostgresDatabase.searchStatement("rare", userID: fixture.userID, after: nil, limit: 20))
            let plan = try await fixture.database.query(explain).map { try $0.decode(String.self) }
                .joined(separator: "\n")
            #expect(plan.contains("searchable_messages_words"), "\(plan)")
            #expect(!plan.contains("Seq Scan on searchable_messages"), "\(plan)")
            #expect(try await found("rare", fixture).count == 9)
        }
    }

    @Test func aSnippetSaysWhereTheWordsStandAndHasNoMarkup() async throws {
        let text = "<script>alert('lease')</script>\n👍🏽 \u{2}lease\u{3} & <b>аренда</b>"
        try await with([text]) { fixture async throws in
            let hits = try await fixture.database.search("lease аренда", userID: fixture.userID, after: nil, limit: 9)
            let snippet = try #require(hits.first).snippet
            let units = Array(snippet.text.utf16)
            let words = snippet.matches.map { match in
                String(decoding: units[match.offset..<match.offset + match.length], as: UTF16.self)
            }
            #expect(words == ["lease", "аренда"])
            #expect(!snippet.text.unicodeScalars.contains { $0.properties.generalCategory == .control })
            #expect(snippet.text.contains("<b>аренда</b>"), "as plain text, like everything in it")
        }
    }

    private func with(
        _ texts: [String], _ body: (ChatFixture) async throws -> Void
    ) async throws {
        try await ChatFixture.with { fixture async throws in
            for (index, text) in texts.enumerated() {
                try await fixture.database.query(
                    """
                    insert into chat.messages (conversation_id, role, status, content, created_at)
                    values (\(fixture.conversationID), 'user', 'completed', \(text),
                        clock_timestamp() + \(index)::bigint * interval '1 second')
                    """)
            }
            try await fixture.database.query("insert into chat.search_queue select id from chat.messages")
            #expect(try await fixture.database.indexQueuedMessages(limit: 1000) == texts.count)
            try await body(fixture)
        }
    }

    private func found(_ words: String, _ fixture: ChatFixture) async throws -> [String] {
        let hits = try await fixture.database.search(words, userID: fixture.userID, after: nil, limit: 9)
        return hits.map(\.snippet.text)
    }
}
