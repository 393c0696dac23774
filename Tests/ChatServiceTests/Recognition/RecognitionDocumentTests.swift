import Foundation
import TestSupport
import Testing

@testable import ChatService

@Suite("Recognised documents", .serialized, .tags(.long))
struct RecognitionDocumentTests {
    @Test(arguments: Fixture.documents.filter(\.isText))
    func whatIsTextIsTakenExactly(_ fixture: Fixture) async throws {
        let type = try #require(fixture.type)
        let text = try await withRecognizer { try await $0.read(fixture.file, type) }
        let truth = try fixture.trueText
        #expect(text == truth.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// The plain program gets 0.98 % on the pictures of this folder (its README); the mark is 0.7 of that.
    @Test func picturesAreReadWithLessThanHalfAPercentOfErrors() async throws {
        let pictures = Fixture.documents.filter { !$0.isText && $0.type != nil }
        #expect(pictures.count == 12)
        var rates: [String: Double] = [:]
        try await withRecognizer { recognizer in
            for fixture in pictures {
                let type = try #require(fixture.type)
                let text = try await recognizer.read(fixture.file, type)
                rates[fixture.name] = characterErrorRate(text, of: try fixture.trueText)
            }
            let child = try #require(await recognizer.childProcessID)
            let peak = try #require(try residentPeak(of: child))
            #expect(peak < 150 << 20)
        }
        #expect(rates.values.reduce(0, +) / Double(rates.count) < 0.005, "\(rates)")
        for (name, rate) in rates where name != "invoice_ru_noise.webp" { #expect(rate < 0.01, "\(name)") }
        let noisy = try #require(rates["invoice_ru_noise.webp"])
        #expect(noisy < 0.04)
    }

    @Test func aTextInWindows1251MayBeAsLargeAsAnyFile() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.url.appending(path: "letters.txt")
        let lines = (20 << 20) / 64
        let line = [UInt8](repeating: 0xe4, count: 63) + [0x0a]
        try Data(Array(repeating: line, count: lines).joined()).write(to: file)
        let text = try await withRecognizer { try await $0.read(file, .text) }
        let bytes = lines * 127 - 1
        #expect(text.utf8.count == bytes)
        let first = String(repeating: "д", count: 63) + "\nд"
        #expect(text.hasPrefix(first))
        #expect(text.hasSuffix("д"))
    }

    @Test func thePagesOfADocumentComeInAnyOrder() async throws {
        let fixture = Fixture("documents/contract_en_3pages.tiff")
        let truth = try fixture.trueText.split(separator: "\u{c}").map(String.init)
        try await withRecognizer { recognizer in
            let count = try await recognizer.open(path: fixture.file.path, type: .tiff)
            #expect(count == 3)
            for number in [3, 1] {
                let page = try await recognizer.recognizePage(number)
                guard case .text(let text) = page else {
                    Issue.record("\(page)")
                    continue
                }
                #expect(characterErrorRate(text, of: truth[number - 1]) < 0.01)
            }
        }
    }

    @Test func aPageThatIsNotThereIsAnErrorOfTheCaller() async throws {
        let fixture = Fixture("documents/note_utf8.txt")
        try await withRecognizer { recognizer in
            let count = try await recognizer.open(path: fixture.file.path, type: .text)
            #expect(count == 1)
            for number in [0, 2, -1] {
                await #expect(throws: RecognitionFailure.self) { try await recognizer.recognizePage(number) }
            }
            let page = try await recognizer.recognizePage(1)
            #expect(page != .text(""))
        }
    }
}
