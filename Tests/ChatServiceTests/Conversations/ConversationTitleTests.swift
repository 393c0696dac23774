import Testing

@testable import ChatService

@Suite("A conversation is called by its first question")
struct ConversationTitleTests {
    @Test(arguments: [
        ("When can we terminate?", "When can we terminate?"),
        ("\n  \t\n  Срок   аренды?  \nи ещё", "Срок аренды?"),
        ("a\u{0}b\u{7}c", "a b c"),
    ])
    func theTitleIsTheFirstLine(question: String, title: String) {
        #expect(ConversationTitle.made(from: question, fileName: "lease.pdf") == title)
    }

    @Test func aQuestionWithoutTextIsCalledByItsFile() {
        #expect(ConversationTitle.made(from: "", fileName: "lease.pdf") == "lease.pdf")
        #expect(ConversationTitle.made(from: " \n", fileName: nil) == ConversationTitle.byDefault)
    }

    @Test func aLongQuestionIsCutAtAWord() {
        let title = ConversationTitle.made(from: String(repeating: "договор ", count: 40), fileName: nil)
        #expect(title.hasSuffix("договор…"))
        #expect(title.unicodeScalars.count <= 100)
        #expect(title.unicodeScalars.count > 90)
    }

    @Test func aLongWordIsCutInside() {
        let title = ConversationTitle.made(from: "see " + String(repeating: "x", count: 500), fileName: nil)
        #expect(title.unicodeScalars.count == 100)
    }

    @Test func aCharacterIsNotCutInside() {
        let title = ConversationTitle.made(from: String(repeating: "👨‍👩‍👧‍👦", count: 50), fileName: nil)
        #expect(title.dropLast().allSatisfy { $0 == "👨‍👩‍👧‍👦" })
        #expect((1...100).contains(title.unicodeScalars.count))
    }

    @Test func onlyAnUntouchedConversationGetsATitleAndOnlyOnce() async throws {
        try await ChatFixture.with { fixture in
            let untouched = try await fixture.database.insertConversation(
                userID: fixture.userID, title: ConversationTitle.byDefault, businessContext: nil)
            for (id, title) in [(untouched.id, "First"), (fixture.conversationID, "Talk")] {
                for text in ["First", "Second"] {
                    let question = NewQuestion(
                        conversationID: id, userID: fixture.userID, content: text, domain: nil, fileCount: 0)
                    let accepted = try await fixture.database.acceptQuestion(question, owner: .init(), leaseSeconds: 30)
                    #expect(accepted != nil)
                }
                #expect(try await fixture.database.conversation(id, userID: fixture.userID)?.title == title)
            }
        }
    }
}
