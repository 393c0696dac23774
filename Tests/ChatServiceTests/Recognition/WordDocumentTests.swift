import CZip
import Foundation
import TestSupport
import Testing

@testable import ChatService

@Suite("Word documents", .serialized)
struct WordDocumentTests {
    private static let word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    private static let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

    /// The text the child finds in a document of these parts.
    private func text(_ parts: [(name: String, xml: String)]) async throws -> String {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.url.appending(path: "a.docx")
        try write(parts, to: file)
        return try await withRecognizer { try await $0.read(file, .docx) }
    }

    private func write(_ parts: [(name: String, xml: String)], to file: URL) throws {
        let archive = try #require(zip_open(file.path, ZIP_CREATE, nil))
        for part in parts {
            // libzip reads the bytes when it closes, and frees them.
            let bytes = strdup(part.xml)
            let source = try #require(zip_source_buffer(archive, bytes, UInt64(part.xml.utf8.count), 1))
            try #require(zip_file_add(archive, part.name, source, 0) >= 0)
        }
        try #require(zip_close(archive) == 0)
    }

    private func body(_ xml: String) -> (name: String, xml: String) {
        ("word/document.xml", "<w:document xmlns:w=\"\(Self.word)\"><w:body>\(xml)</w:body></w:document>")
    }

    private func paragraph(_ text: String) -> String { "<w:p><w:r><w:t>\(text)</w:t></w:r></w:p>" }

    @Test func paragraphsTabsAndBreaksAreKept() async throws {
        let text = try await text([
            body(
                """
                <w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t>
                </w:r></w:p>
                <w:p/><w:p><w:r><w:t xml:space="preserve">c </w:t><w:br/><w:t>d&amp;&#233;</w:t></w:r></w:p>
                """)
        ])
        #expect(text == "a\tb\nc\nd&é")
    }

    @Test func deletedTextFieldCodesAndSecondFormsAreLeftOut() async throws {
        let text = try await text([
            body(
                """
                <w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins><w:r><w:t>new</w:t></w:r></w:ins>
                <w:r><w:instrText>PAGE</w:instrText></w:r></w:p>
                <w:p><mc:AlternateContent xmlns:mc="urn:mc"><mc:Choice><w:r><w:t>box</w:t></w:r></mc:Choice>
                <mc:Fallback><w:r><w:t>box</w:t></w:r></mc:Fallback></mc:AlternateContent></w:p>
                """)
        ])
        #expect(text == "new\nbox")
    }

    @Test func aTableIsReadRowByRow() async throws {
        func cell(_ content: String) -> String { "<w:tc>\(content)</w:tc>" }
        let inner = "<w:tbl><w:tr>\(cell(paragraph("x")))\(cell(paragraph("y")))</w:tr></w:tbl>"
        let text = try await text([
            body(
                paragraph("before") + "<w:tbl><w:tr>" + cell(paragraph("a") + paragraph("b")) + cell(paragraph("c"))
                    + "</w:tr><w:tr>" + cell(inner) + cell(paragraph("d")) + "</w:tr></w:tbl>" + paragraph("after"))
        ])
        #expect(text == "before\na b\tc\nx\ty\td\nafter")
    }

    @Test func headersComeFirstNotesAfterTheBodyFootersLast() async throws {
        func part(_ name: String, _ root: String, _ text: String) -> (name: String, xml: String) {
            (name, "<w:\(root) xmlns:w=\"\(Self.word)\">\(paragraph(text))</w:\(root)>")
        }
        let relations = ["header", "footer", "footnotes", "header"].enumerated().map { index, kind in
            "<Relationship Id=\"r\(index)\" Type=\"\(Self.office)/\(kind)\" Target=\"part\(index).xml\"/>"
        }
        let text = try await text([
            body(paragraph("body")), ("word/_rels/document.xml.rels", "<R>\(relations.joined())</R>"),
            part("word/part0.xml", "hdr", "head"), part("word/part1.xml", "ftr", "foot"),
            part("word/part2.xml", "footnotes", "note"), part("word/part3.xml", "hdr", "head"),
        ])
        #expect(text == "head\nbody\nnote\nfoot")
    }

    @Test func theDocumentMayHaveAnotherName() async throws {
        let relation = "<R><Relationship Type=\"\(Self.office)/officeDocument\" Target=\"/word/other.xml\"/></R>"
        let text = try await text([("_rels/.rels", relation), ("word/other.xml", body(paragraph("here")).xml)])
        #expect(text == "here")
    }

    @Test(arguments: [
        "<w:document", "", "<!DOCTYPE a><a/>", "<a>" + String(repeating: "<a>", count: 300),
    ])
    func aDamagedDocumentIsRefused(_ xml: String) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.url.appending(path: "a.docx")
        try write([("word/document.xml", xml)], to: file)
        _ = try await withRecognizer { recognizer in
            await #expect(throws: RecognitionFailure.unreadableFile("The Word file is damaged.")) {
                try await recognizer.open(path: file.path, type: .docx)
            }
        }
    }

    @Test func moreXMLThanAllowedIsRefusedWhileItIsInflated() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.url.appending(path: "a.docx")
        let paragraph = paragraph(String(repeating: "word ", count: 1_000))
        try write([body(String(repeating: paragraph, count: 5_000))], to: file)
        _ = try await withRecognizer { recognizer in
            await #expect(throws: RecognitionFailure.unreadableFile("The Word file is too large.")) {
                try await recognizer.open(path: file.path, type: .docx)
            }
        }
    }
}
