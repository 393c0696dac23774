import Testing

@testable import ChatService

@Suite("Blocks on a page")
struct PageLayoutTests {
    private let text = PixelBox(left: 200, top: 500, right: 2200, bottom: 1500)
    private let numbers = PixelBox(left: 140, top: 510, right: 170, bottom: 1490)

    @Test func numbersBesideTheirLinesAreATornColumn() {
        #expect(PageLayout(blocks: [numbers, text]).hasSplitColumn)
    }

    @Test func twoColumnsOfTextStayColumns() {
        let right = PixelBox(left: 2300, top: 500, right: 4300, bottom: 1500)
        #expect(!PageLayout(blocks: [text, right]).hasSplitColumn)
        #expect(!PageLayout(blocks: [numbers, text, right]).hasSplitColumn)
    }

    @Test func aNarrowBlockAboveOrRightOfTheTextIsNoPartOfIt() {
        let above = PixelBox(left: 140, top: 100, right: 170, bottom: 400)
        let right = PixelBox(left: 2250, top: 510, right: 2280, bottom: 1490)
        #expect(!PageLayout(blocks: [above, text]).hasSplitColumn)
        #expect(!PageLayout(blocks: [right, text]).hasSplitColumn)
    }

    @Test func anEmptyPageHasNoColumns() {
        #expect(!PageLayout(blocks: []).hasSplitColumn)
    }
}
