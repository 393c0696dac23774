import Foundation
import TestSupport
import Testing

@testable import ChatService

/// Poppler draws what it can of a damaged PDF page, complains about the rest, and says that it succeeded.
@Suite("Broken pages", .serialized, .tags(.long))
struct BrokenPageTests {
    private func read(_ bytes: Data) async throws -> [RecognizedPage] {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.url.appending(path: "book.pdf")
        try bytes.write(to: file)
        return try await withRecognizer { recognizer in
            var pages: [RecognizedPage] = []
            for number in 1...(try await recognizer.open(path: file.path, type: .pdf)) {
                pages.append(try await recognizer.recognizePage(number))
            }
            return pages
        }
    }

    @Test func aPageWhoseOnlyPictureIsBrokenIsNotTakenForAnEmptyOne() async throws {
        let pages = try await read(TextBook.made(of: [.text, .brokenPicture, .nothing, .text]))
        #expect(pages[1] == .unreadable("cannot be drawn"))
        #expect(pages[2] == .text(""))
        guard case .text(let text) = pages[3] else {
            Issue.record("\(pages[3])")
            return
        }
        #expect(text.hasPrefix("Page 4, line 1:"))
    }

    @Test func aDocumentOfOnePageThatIsBrokenIsDamaged() async throws {
        await #expect(throws: RecognitionFailure.unreadableFile("The page cannot be drawn.")) {
            try await read(TextBook.made(of: [.brokenPicture]))
        }
    }

    /// A form that is named and not there: poppler says so whichever page it is asked for.
    @Test func complaintsAboutTheDocumentAreNotThoseOfAPage() async throws {
        let book = replace("/Catalog", with: "/Catalog /AcroForm 99 0 R", in: TextBook.made(of: [.text, .nothing]))
        let pages = try await read(book)
        #expect(pages.count == 2 && pages[0] != .text("") && pages[1] == .text(""))
    }

    /// Poppler counts on past such a page and misses one at the end.
    @Test func aPageThatIsCountedAndNotThereCostsNoOther() async throws {
        let whole = TextBook.made(of: [.text, .text, .text])
        let pages = try await read(replace("/Kids [5 0 R 7 0 R", with: "/Kids [5 0 R 99 0 R", in: whole))
        #expect(pages.count == 3 && pages[2] == .unreadable("cannot be drawn"))
        #expect(pages[..<2].allSatisfy { if case .text(let text) = $0 { text.hasPrefix("Page ") } else { false } })
    }

    private func replace(_ part: String, with other: String, in book: Data) -> Data {
        Data(String(decoding: book, as: UTF8.self).replacing(part, with: other).utf8)
    }
}
