import Foundation
import TestSupport
import Testing

@testable import ChatService

@Suite("Hostile documents", .serialized, .tags(.long))
struct RecognitionHostileTests {
    /// How a hostile file ends.
    enum End: Sendable {
        case text(String)
        case failure(RecognitionFailure)
    }

    @Test(
        arguments: [
            ("png_bomb_16000.png", .failure(.tooManyPixels)), ("png_huge_header.png", .failure(.tooManyPixels)),
            ("tiff_side_2_20.tiff", .failure(.tooManyPixels)), ("webp_16383.webp", .failure(.tooManyPixels)),
            ("gif_1000_frames.gif", .text("")), ("png_zip_polyglot.png", .text("")), ("tiff_ifd_loop.tiff", .text("")),
            ("elf_named.png", .failure(.unreadableFile("The picture is damaged."))),
            ("svg_named.png", .failure(.unreadableFile("The picture is damaged."))),
            ("zip_named.pdf", .failure(.unreadableFile("The PDF file is damaged."))),
            ("empty.png", .failure(.unreadableFile("The file is empty."))),
            ("pdf_encrypted.pdf", .failure(.encryptedFile)), ("pdf_page_200_inch.pdf", .failure(.tooManyPixels)),
            ("pdf_active.pdf", .text("The text of the active file.")),
            ("docx_bomb_40mib.docx", .failure(.unreadableFile("The Word file is damaged."))),
            ("docx_xxe.docx", .failure(.unreadableFile("The Word file is damaged."))),
            ("docx_laughs.docx", .failure(.unreadableFile("The Word file is damaged."))),
            ("txt_nul.txt", .text(String(repeating: "textwithNUL", count: 20))),
        ] as [(String, End)])
    func endsAsItShouldAndTheNextGoodFileIsReadAsBefore(_ name: String, _ expected: End) async throws {
        let fixture = Fixture("hostile/" + name)
        let type = try #require(fixture.type)
        let note = Fixture("documents/note_utf8.txt")
        let (end, next) = try await withRecognizer(pageSeconds: 30) { recognizer in
            let end: End
            do throws(any Error) {
                end = .text(try await recognizer.read(fixture.file, type))
            } catch let failure as RecognitionFailure {
                end = .failure(failure)
            }
            return (end, try await recognizer.read(note.file, .text))
        }
        switch (end, expected) {
        case (.text(let text), .text(let expected)):
            #expect(text.trimmingCharacters(in: .whitespacesAndNewlines) == expected)
        case (.failure(let failure), .failure(let expected)): #expect(failure == expected)
        default: Issue.record("\(end)")
        }
        let truth = try note.trueText
        #expect(next == truth.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Bytes at seeded places of every document are changed; the child may fail, in order, but not hang or be lost.
    @Test(arguments: Fixture.documents.filter { $0.type != nil })
    func aDamagedDocumentEndsInOrder(_ fixture: Fixture) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.url.appending(path: fixture.name)
        let type = try #require(fixture.type)
        try await withRecognizer(pageSeconds: 60) { recognizer in
            for seed in UInt64(1)...2 {
                var bytes = try fixture.bytes
                var random = seed &* 0x9e37_79b9_7f4a_7c15
                for _ in 0..<(1 + bytes.count / 2_000) {
                    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    bytes[Int(random >> 33) % bytes.count] = UInt8(truncatingIfNeeded: random >> 20)
                }
                if seed == 2 { bytes = bytes.prefix(bytes.count * 3 / 5) }
                try bytes.write(to: file)
                do {
                    _ = try await recognizer.read(file, type)
                } catch let failure as RecognitionFailure {
                    if case .unavailable(let cause) = failure { Issue.record("\(cause)") }
                    #expect(failure != .cancelled)
                }
            }
        }
    }
}
