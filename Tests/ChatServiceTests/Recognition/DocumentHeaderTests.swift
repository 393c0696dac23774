import Testing

@testable import ChatService

@Suite("Headers read without decoding")
struct DocumentHeaderTests {
    /// Directories of a little-endian TIFF file, each one SHORT tag, each pointing at the next; 0 ends the chain.
    private func tiff(_ next: [Int], tag: UInt16 = 274, value: UInt16 = 6) -> [UInt8] {
        var bytes: [UInt8] = [0x49, 0x49, 42, 0, 8, 0, 0, 0]
        for place in next {
            bytes += [1, 0, UInt8(tag & 0xff), UInt8(tag >> 8), 3, 0, 1, 0, 0, 0]
            bytes += [UInt8(value & 0xff), UInt8(value >> 8), 0, 0]
            bytes += [UInt8(place), 0, 0, 0]
        }
        return bytes
    }

    private func chain(_ bytes: [UInt8], max: Int = 101) -> Int {
        bytes.withUnsafeBytes { TIFFDirectory.chain($0, max: max).count }
    }

    @Test func theChainOfDirectoriesIsFollowedOnce() {
        #expect(chain(tiff([0])) == 1)
        #expect(chain(tiff([26, 44, 0])) == 3)
        #expect(chain(tiff([26, 44, 8])) == 3)
        #expect(chain(tiff([8])) == 1)
        #expect(chain(tiff([26, 44, 0]), max: 2) == 2)
    }

    @Test func aChainThatLeavesTheFileEndsThere() {
        #expect(chain(tiff([200])) == 1)
        #expect(chain(Array(tiff([0]).prefix(9))) == 0)
        #expect(chain([]) == 0)
        #expect(chain(Array("no tiff at all".utf8)) == 0)
        for count in 0..<tiff([26, 0]).count { _ = chain(Array(tiff([26, 0]).prefix(count))) }
    }

    private func orientation(_ bytes: [UInt8], _ type: DocumentType) -> ExifOrientation {
        bytes.withUnsafeBytes { ExifOrientation(in: $0, type) }
    }

    @Test func theCameraSaysHowItWasHeld() {
        let block = Array("Exif\0\0".utf8) + tiff([0], value: 6)
        let segment: [UInt8] = [0xff, 0xe1, 0, UInt8(block.count + 2)] + block
        #expect(orientation([0xff, 0xd8] + segment + [0xff, 0xda, 0, 2], .jpeg) == .right)
        #expect(orientation([0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2] + segment, .jpeg) == .right)
        let chunk = tiff([0], value: 3)
        let png = [UInt8](repeating: 0, count: 8) + [0, 0, 0, UInt8(chunk.count)] + Array("eXIf".utf8) + chunk
        #expect(orientation(png + [0, 0, 0, 0], .png) == .upsideDown)
        let webp = [UInt8](repeating: 0, count: 12) + Array("EXIF".utf8) + [UInt8(chunk.count), 0, 0, 0] + chunk
        #expect(orientation(webp, .webp) == .upsideDown)
    }

    @Test func withoutAWordAboutItThePictureIsUpright() {
        #expect(orientation([], .jpeg) == .upright)
        #expect(orientation([0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff, 0x45], .jpeg) == .upright)
        #expect(orientation(Array("Exif\0\0".utf8), .gif) == .upright)
        let block = Array("Exif\0\0".utf8) + tiff([0], value: 99)
        #expect(orientation([0xff, 0xd8, 0xff, 0xe1, 0, UInt8(block.count + 2)] + block, .jpeg) == .upright)
    }

    @Test func aGIFIsCutBehindItsFirstFrame() throws {
        let frame: [UInt8] = [0x2c, 0, 0, 0, 0, 3, 0, 2, 0, 0, 2, 1, 0xff, 0]
        let start = Array("GIF89a".utf8) + [3, 0, 2, 0, 0, 0, 0]
        let comment: [UInt8] = [0x21, 0xfe, 2, 0x61, 0x62, 0]
        let bytes = start + comment + frame + frame + [0x3b]
        let (size, alone) = try bytes.withUnsafeBytes { bytes in
            let gif = try #require(GIFFrame(bytes))
            return (gif.size, gif.alone)
        }
        #expect(size == PictureSize(width: 3, height: 2))
        #expect(alone == start + comment + frame + [0x3b])
        for count in 0..<bytes.count { _ = Array(bytes.prefix(count)).withUnsafeBytes { GIFFrame($0)?.alone } }
    }

    @Test(arguments: [(50_000_001, 1), (32_768, 1), (1, 32_768), (10_000, 5_001)])
    func picturesBeyondTheLimitsAreRefused(_ width: Int, _ height: Int) {
        #expect(throws: RecognitionFailure.tooManyPixels) { try PictureSize(width: width, height: height).check() }
    }

    @Test func picturesWithinTheLimitsAreNot() throws {
        try PictureSize(width: 10_000, height: 5_000).check()
        #expect(throws: RecognitionFailure.unreadableFile("The picture is empty.")) {
            try PictureSize(width: 0, height: 5).check()
        }
    }

    @Test func aPageSpeaksOfItself() throws {
        let page = try #require(PDFPage("Page    3 size:  595.276 x 841.89 pts (A4)"))
        #expect(page == PDFPage(width: 595.276, height: 841.89))
        #expect(page.pixelsPerInchMax > 300)
        let poster = PDFPage(width: 14_400, height: 14_400)
        #expect(poster.pixelsPerInchMax < 72)
        #expect(PDFPage("Page    3 rot:   0") == nil)
        #expect(PDFPage("Page    3 size:  nan x 841.89 pts") == nil)
        #expect(PDFPage.count("Pages:           12") == 12)
        let image = "   1     0 image    2480  3508  gray    1   8  jpeg   no         7  0   300   300 61.5K 0.7%"
        #expect(abs(PDFPage.squareInches(ofImage: Substring(image)) - 96.66) < 0.1)
        #expect(PDFPage.squareInches(ofImage: "page   num  type   width height color comp bpc  enc") == 0)
    }

    @Test func aFewGlyphsOnAScanAreNoTextLayer() throws {
        let covered = { () throws(RecognitionFailure) -> Bool in false }
        let bare = { () throws(RecognitionFailure) -> Bool in true }
        #expect(try PDFPageText(raw: String(repeating: "слово ", count: 50)).isLayer(orElse: covered))
        #expect(try !PDFPageText(raw: "Page 3 of 5").isLayer(orElse: covered))
        #expect(try PDFPageText(raw: "Page 3 of 5").isLayer(orElse: bare))
        #expect(try !PDFPageText(raw: " \u{c}").isLayer(orElse: bare))
        let broken = String(repeating: "\u{e001}", count: 40) + String(repeating: "a", count: 250)
        #expect(try !PDFPageText(raw: broken).isLayer(orElse: bare))
    }

    @Test func framesComeBackAsTheyWereSent() {
        let frame = RecognitionFrame(tag: .text, payload: "Счет\n")
        let head = RecognitionFrame.head(Array(frame.bytes.prefix(5)), maxBytes: 100)
        #expect(head?.tag == .text)
        #expect(head?.length == frame.bytes.count - 5)
        #expect(RecognitionFrame.head(Array(frame.bytes.prefix(5)), maxBytes: 8) == nil)
        #expect(RecognitionFrame.head([0, 0, 0, 0, 99], maxBytes: 8) == nil)
        #expect(RecognitionFrame.head([0, 0, 0, 0], maxBytes: 8) == nil)
    }

    @Test(
        arguments: [
            .unreadableFile("why"), .encryptedFile, .tooManyPages(101), .tooManyPixels, .unavailable("no"),
        ] as [RecognitionFailure])
    func failuresCrossTheSocket(_ failure: RecognitionFailure) {
        #expect(RecognitionFrame(failure).failure == failure)
    }
}
