import Foundation
import NIOPosix
import TestSupport
import Testing

@testable import ChatService

@Suite("Preparation of pictures", .serialized, .tags(.long))
struct RecognitionPreparationTests {
    private static let letters = [
        Fixture("documents/letter_en_clean.png"), Fixture("documents/letter_ru_clean.png"),
    ]

    @Test(arguments: letters, Wear.allCases)
    func aWornPageIsReadAsWell(_ letter: Fixture, _ wear: Wear) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.url.appending(path: "page.png")
        try #require(WornPage.write(letter, wear, to: file))
        let text = try await withRecognizer { try await $0.read(file, .png) }
        let rate = characterErrorRate(text, of: try letter.trueText)
        #expect(rate < 0.01)
    }

    @Test(arguments: Wear.allCases.filter { $0.expected != nil })
    func eachStepIsTakenWhereItIsNeeded(_ wear: Wear) throws {
        let steps = try #require(WornPage.steps(Self.letters[0], wear))
        let expected = try #require(wear.expected)
        #expect(steps.contains { $0.isAbout(expected) }, "\(steps)")
        #expect(steps.count == 1, "\(steps)")
    }

    /// Sideways pages are read by Tesseract itself, too, now and then.
    @Test(
        arguments: [
            (.skewed, "letter_ru_clean.png"), (.hardShadow, "letter_ru_clean.png"),
            (.smallLetters, "letter_ru_clean.png"), (.speckled, "letter_ru_clean.png"), (.inverted, "receipt_ru.png"),
        ] as [(Wear, String)])
    func withoutTheStepAtLeastTwiceAsMuchIsMissed(_ wear: Wear, _ name: String) async throws {
        let fixture = Fixture("documents/" + name)
        let texts = try await NIOThreadPool.singleton.runIfActive { try WornPage.texts(fixture, wear) }
        let (without, with) = try #require(texts)
        let truth = try fixture.trueText
        let (missed, left) = (characterErrorRate(without, of: truth), characterErrorRate(with, of: truth))
        #expect(missed > 0.001 && left <= missed / 2, "\(missed) and \(left)")
    }

    @Test(
        arguments: [
            ("letter_en_clean.png", []), ("letter_ru_clean.png", []), ("letter_en_q40.jpg", []), ("receipt_ru.png", []),
            ("contract_ru_low_contrast.gif", []), ("notice_en_inverted.bmp", [.inverted]),
            ("invoice_ru_noise.webp", [.smoothed]), ("contract_mixed_skew.png", [.straightened(degrees: 1.8)]),
            ("letter_ru_photo.jpg", [.evenedLight, .straightened(degrees: -0.56)]),
        ] as [(String, [PreparationStep])])
    func noStepIsTakenWhereItIsNot(_ name: String, _ expected: [PreparationStep]) throws {
        let steps = try #require(WornPage.steps(Fixture("documents/" + name)))
        #expect(steps.count == expected.count && zip(steps, expected).allSatisfy { $0.isAbout($1) }, "\(steps)")
    }
}

extension PreparationStep {
    /// Whether both are the same, angles to a quarter of a degree and factors to a tenth.
    fileprivate func isAbout(_ other: PreparationStep) -> Bool {
        switch (self, other) {
        case (.straightened(let one), .straightened(let two)): abs(one - two) < 0.25
        case (.scaled(let one), .scaled(let two)): abs(one / two - 1) < 0.1
        default: self == other
        }
    }
}
