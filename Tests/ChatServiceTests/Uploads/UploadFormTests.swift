import NIOCore
import Shared
import Testing

@testable import ChatService

@Suite struct UploadFormTests {
    private static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// What the form made of the parts, fed in pieces of `piece` bytes.
    private func steps(
        _ parts: [SentPart], limits: UploadLimits = .init(), piece: Int = .max
    ) throws -> (fields: [String: String], steps: [UploadStep]) {
        var parser = try MultipartParser(boundary: "b", limits: limits.multipart)
        var form = UploadForm(limits: limits)
        var steps: [UploadStep] = []
        var rest = multipartBody(parts, boundary: "b")[...]
        while !rest.isEmpty {
            parser.append(ByteBuffer(bytes: rest.prefix(piece)))
            rest = rest.dropFirst(piece)
            while let event = try parser.next() { steps += try form.handle(event) }
        }
        try parser.finish()
        return (form.fields, steps)
    }

    private func content(_ steps: [UploadStep]) -> [UInt8] {
        steps.flatMap { step -> [UInt8] in
            guard case .append(let bytes) = step else { return [] }
            return Array(bytes.readableBytesView)
        }
    }

    @Test(arguments: [1, 100, 5000, .max])
    func fieldsAreKeptAndFilesGoOn(piece: Int) throws {
        let bytes = Self.png + (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let sent = [
            SentPart("conversation_id", "42"), SentPart("file", fileName: "/tmp/a.png", bytes: bytes),
            SentPart("message", "привет"),
        ]
        let (fields, steps) = try steps(sent, piece: piece)
        #expect(fields == ["conversation_id": "42", "message": "привет"])
        #expect(steps.first == .begin(name: "a.png", type: .png))
        #expect(steps.last == .end)
        #expect(content(steps) == bytes)
    }

    @Test(arguments: ["file", "files", "file[]", "files[]"])
    func filesComeInPartsOfFourNames(name: String) throws {
        let (fields, steps) = try steps([SentPart(name, fileName: "a.txt", "x"), SentPart(name, fileName: "b.md", "y")])
        #expect(fields.isEmpty)
        #expect(steps.filter { $0 == .end }.count == 2)
        #expect(steps.contains(.begin(name: "b.md", type: .markdown)))
    }

    @Test func aFileUnderAnotherNameIsSkipped() throws {
        let (fields, steps) = try steps([SentPart("avatar", fileName: "a.exe", bytes: [0, 1, 2])])
        #expect(fields.isEmpty)
        #expect(steps.isEmpty)
    }

    @Test func aFileInputInWhichNothingWasChosenIsNoFile() throws {
        #expect(try steps([SentPart("file", fileName: "", "")]).steps.isEmpty)
        #expect(try steps([SentPart("file", "")]).steps.isEmpty)
        #expect(try steps([SentPart("file", "text without a name")]).steps.first == .begin(name: "file", type: .text))
    }

    @Test func anEmptyFileIsRefused() {
        let failure = UploadFailure.emptyFile(name: "a.png")
        #expect(throws: failure) { try steps([SentPart("file", fileName: "a.png", "")]) }
    }

    @Test func aSixthFileIsRefused() throws {
        let five = Array(repeating: SentPart("file", fileName: "a.txt", "x"), count: 5)
        #expect(try steps(five).steps.filter { $0 == .end }.count == 5)
        #expect(throws: UploadFailure.tooManyFiles) { try steps(five + five.prefix(1)) }
    }

    @Test func aWrongTypeIsRefusedAfterTheFirstBytes() throws {
        var form = UploadForm()
        _ = try form.handle(.partBegan(PartHeaders(name: "file", fileName: "a.png")))
        let half = ByteBuffer(repeating: 1, count: DocumentTypeSniffer.headBytes / 2)
        #expect(try form.handle(.partBytes(half)) == [])
        #expect(throws: UploadFailure.unsupportedType(name: "a.png")) { try form.handle(.partBytes(half)) }
    }

    @Test(arguments: [1, 4096, 100_000])
    func aFileMayBeAsLargeAsItsBoundAndNoLarger(bound: Int) throws {
        var limits = UploadLimits()
        limits.fileBytes = bound
        let bytes = [UInt8](repeating: 97, count: bound)
        let largest = SentPart("file", fileName: "a.txt", bytes: bytes)
        #expect(try content(steps([largest], limits: limits, piece: 1000).steps).count == bound)
        let larger = SentPart("file", fileName: "a.txt", bytes: bytes + [97])
        #expect(throws: UploadFailure.fileTooLarge(name: "a.txt")) { try steps([larger], limits: limits, piece: 1000) }
    }

    @Test(arguments: [
        (SentPart("message", bytes: [0xFF, 0xFE]), "is not UTF-8"),
        (SentPart("message", "a\u{0}b"), "has a NUL character in it"),
        (SentPart("domain", bytes: [UInt8](repeating: 97, count: 65537)), "is longer than 65536 bytes"),
    ])
    func unreadableFieldsAreRefused(part: SentPart, reason: String) {
        let failure = #expect(throws: UploadFailure.self) { try steps([part], piece: 1000) }
        guard case .badField(_, reason) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }

    @Test func aQuestionLongerThanAFieldIsTooLongAndNotUnreadable() {
        let part = SentPart("message", bytes: [UInt8](repeating: 97, count: 65537))
        #expect(throws: UploadFailure.messageTooLong) { try steps([part], piece: 1000) }
        #expect(Problem(upload: .messageTooLong).code == .messageTooLong)
    }

    @Test func aFieldGivenTwiceIsRefused() {
        let twice = [SentPart("message", "a"), SentPart("message", "a")]
        #expect(throws: UploadFailure.badField(name: "message", reason: "is given twice")) { try steps(twice) }
    }

    @Test func theLongestFieldIsKept() throws {
        let text = String(repeating: "ж", count: 32 * 1024)
        #expect(try steps([SentPart("message", text)], piece: 999).fields == ["message": text])
    }
}
