import Foundation
import Testing

@testable import ChatService

@Suite struct DocumentTypeSnifferTests {
    private let sniffer = DocumentTypeSniffer()

    private func head(_ fixture: String) throws -> [UInt8] {
        let fixtures = URL(filePath: #filePath).appending(path: "../../../Fixtures").standardized
        let file = try FileHandle(forReadingFrom: fixtures.appending(path: fixture))
        return try Array(file.read(upToCount: DocumentTypeSniffer.headBytes) ?? Data())
    }

    @Test(arguments: [
        ("contract_en_3pages.tiff", DocumentType.tiff), ("contract_mixed_skew.png", .png), ("contract_ru.docx", .docx),
        ("contract_ru_low_contrast.gif", .gif), ("invoice_ru_noise.webp", .webp), ("letter_en_clean.png", .png),
        ("letter_en_q40.jpg", .jpeg), ("letter_ru_clean.png", .png), ("letter_ru_photo.jpg", .jpeg),
        ("mixed_layers.pdf", .pdf), ("note_cp1251.txt", .text), ("note_utf16.txt", .text), ("note_utf8.txt", .text),
        ("note_utf8_bom.txt", .text), ("notes_en.md", .markdown), ("notice_en_inverted.bmp", .bmp),
        ("receipt_ru.png", .png), ("scan_mixed_5pages.pdf", .pdf), ("text_ru.pdf", .pdf),
    ])
    func everyDocumentIsKnownByItsFirstBytes(fixture: String, type: DocumentType) throws {
        let head = try head("documents/\(fixture)")
        #expect(sniffer.type(ofHead: head, name: fixture) == type)
        #expect(sniffer.type(ofHead: head, name: "renamed.exe") == (type == .markdown ? .text : type))
    }

    @Test(arguments: [
        ("elf_named.png", DocumentType?.none), ("svg_named.png", nil), ("zip_named.pdf", nil), ("empty.png", nil),
        ("txt_nul.txt", nil), ("png_zip_polyglot.png", .png), ("docx_xxe.docx", .docx), ("docx_laughs.docx", .docx),
        ("docx_bomb_40mib.docx", .docx), ("pdf_active.pdf", .pdf), ("tiff_ifd_loop.tiff", .tiff),
        ("webp_16383.webp", .webp),
    ])
    func hostileFilesAreWhatTheirBytesSay(fixture: String, type: DocumentType?) throws {
        #expect(try sniffer.type(ofHead: head("hostile/\(fixture)"), name: fixture) == type)
    }

    @Test(arguments: [
        "<?xml version=\"1.0\"?>", "  \n<SVG onload=x>", "<!-- hidden --> <!-- twice -->\n<svg>", "<!DOCTYPE html>",
        "<html>", "<script>", "{\\rtf1 x}", "%!PS-Adobe-3.0", "#!/bin/sh\n", "<?php x", "\u{FEFF}<svg>",
    ])
    func programsAndMarkupWrittenInTextAreRefused(text: String) {
        #expect(sniffer.type(ofHead: Array(text.utf8), name: "a.txt") == nil)
        #expect(sniffer.type(ofHead: Array(text.utf8), name: "a.md") == nil)
        let utf16: [UInt8] =
            [0xFF, 0xFE] + text.utf16.flatMap { unit -> [UInt8] in [UInt8(unit & 255), UInt8(unit >> 8)] }
        #expect(sniffer.type(ofHead: utf16, name: "a.txt") == nil)
    }

    @Test(arguments: [
        "BMW is a car maker from Munich, and this is a note about it.", "# Title\n<p align=\"center\">",
        "MM is not TIFF",
        "RIFF raff", "PK is a pair of letters", "a\tb\r\n\u{C}c", "x",
    ])
    func textThatBeginsLikeSomethingElseIsText(text: String) {
        #expect(sniffer.type(ofHead: Array(text.utf8), name: "a.txt") == .text)
        #expect(sniffer.type(ofHead: Array(text.utf8), name: "README.MD") == .markdown)
        #expect(sniffer.type(ofHead: Array(text.utf8), name: "notes.markdown") == .markdown)
    }

    @Test func aPDFMayBeginWithAMarkAndBlanks() {
        #expect(sniffer.type(ofHead: [0xEF, 0xBB, 0xBF] + Array("\r\n %PDF-1.7".utf8), name: "a") == .pdf)
        #expect(sniffer.type(ofHead: Array("x%PDF-1.7\u{1}".utf8), name: "a.pdf") == nil)
    }

    @Test(arguments: [
        (["[Content_Types].xml", "_rels/.rels", "word/document.xml"], true), (["word/numbering.xml"], true),
        (["[Content_Types].xml", "_rels/.rels"], true),
        (["[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"], false),
        (["[Content_Types].xml", "ppt/presentation.xml"], false), (["mimetype", "word/x"], false), (["a.txt"], false),
    ])
    func aZIPArchiveIsAWordDocumentByItsEntries(names: [String], isWord: Bool) {
        let archive = names.flatMap { name -> [UInt8] in
            var header = [UInt8](repeating: 0, count: 30)
            header.replaceSubrange(0..<4, with: [0x50, 0x4B, 3, 4])
            header[26] = UInt8(name.utf8.count)
            return header + Array(name.utf8) + [1, 2, 3]
        }
        #expect(sniffer.type(ofHead: archive, name: "a.docx") == (isWord ? .docx : nil))
    }

    @Test func cutHeadsOfEveryKindNeverCrash() throws {
        for fixture in ["documents/contract_ru.docx", "documents/note_utf16.txt", "documents/notice_en_inverted.bmp"] {
            let whole = try head(fixture)
            for length in 0..<min(whole.count, 200) { _ = sniffer.type(ofHead: Array(whole.prefix(length)), name: "a") }
        }
    }

    @Test func formatsThatWeDoNotReadAreRefused() {
        #expect(sniffer.type(ofHead: [0x49, 0x49, 43, 0, 8, 0, 0, 0], name: "big.tiff") == nil)
        #expect(sniffer.type(ofHead: [0xFF, 0xFE, 0, 0, 65, 0, 0, 0], name: "utf32.txt") == nil)
        #expect(sniffer.type(ofHead: Array("GIF88a".utf8) + [0, 1], name: "a.gif") == nil)
    }
}
