import Testing

@testable import ChatService

@Suite struct RecognizedTextTests {
    private func file(_ id: Int, _ name: String) -> StoredFile {
        StoredFile(id: id, position: id, name: name, type: .pdf, pagesTotal: nil, crashes: 0)
    }
    private func page(_ file: Int, _ number: Int, _ text: String?) -> StoredPage {
        StoredPage(fileID: file, number: number, text: text)
    }

    @Test func oneFileIsItsPagesPartedByABlankLine() {
        let text = RecognizedText.assemble(
            message: "", files: [file(1, "a.pdf")], pages: [page(1, 1, "first"), page(1, 2, "second")])
        #expect(text == "first\n\nsecond")
    }

    @Test func theGivenTextComesFirst() {
        let text = RecognizedText.assemble(message: "What is it?", files: [file(1, "a.pdf")], pages: [page(1, 1, "x")])
        #expect(text == "What is it?\n\nx")
    }

    @Test func severalFilesFollowALineWithTheirName() {
        let text = RecognizedText.assemble(
            message: "Compare", files: [file(1, "a.pdf"), file(2, "b.png")], pages: [page(1, 1, "x"), page(2, 1, "y")])
        #expect(text == "Compare\n\n[a.pdf]\nx\n\n[b.png]\ny")
    }

    @Test func aPageThatCouldNotBeReadIsNamed() {
        let text = RecognizedText.assemble(
            message: "", files: [file(1, "a.pdf")], pages: [page(1, 1, "x"), page(1, 2, nil), page(1, 3, "z")])
        #expect(text == "x\n\n[page 2 could not be read]\n\nz")
    }

    @Test func blankAndUnreadPagesAreNoText() {
        #expect(RecognizedText.isEmpty([page(1, 1, " \n"), page(1, 2, nil)]))
        #expect(RecognizedText.isEmpty([]))
        #expect(!RecognizedText.isEmpty([page(1, 1, ""), page(1, 2, "a")]))
    }
}
