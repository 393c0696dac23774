import CLeptonica
import Foundation
import TestSupport
import Testing

@testable import ChatService

/// Whole pages whose file says how they are to be held. Mirrored ones cannot be read without that word.
@Suite("Orientation that a file tells", .serialized)
struct RecognitionOrientationTests {
    private static let letter = Fixture("documents/letter_en_clean.png")

    @Test(arguments: [2, 4, 5, 6, 7] as [UInt16])
    func aPhotoIsReadAsItsCameraWasHeld(_ tag: UInt16) async throws {
        try await withFolder { folder in
            let jpeg = try Self.jpeg(in: folder) { page in
                // Exif 2.32, 4.6.4: where the first row and the first column of the stored picture belong.
                switch tag {
                case 2: pixFlipLR(nil, page)
                case 4: pixFlipTB(nil, page)
                case 5: Self.flipped(pixRotate90(page, 1))
                case 6: pixRotate90(page, -1)
                default: Self.flipped(pixRotate90(page, -1))
                }
            }
            let file = folder.appending(path: "photo.jpg")
            try (jpeg.prefix(2) + Self.exif(orientation: tag) + jpeg.dropFirst(2)).write(to: file)
            let text = try await withRecognizer { try await $0.read(file, .jpeg) }
            #expect(characterErrorRate(text, of: try Self.letter.trueText) < 0.01)
        }
    }

    @Test(arguments: [90, 180, 270])
    func aScannedPageIsReadAsItsDocumentTurnsIt(_ degrees: Int) async throws {
        try await withFolder { folder in
            let picture = try Self.jpeg(in: folder) { page in
                switch degrees {
                case 90: pixRotate90(page, -1)
                case 180: pixRotate180(nil, page)
                default: pixRotate90(page, 1)
                }
            }
            let file = folder.appending(path: "scan.pdf")
            try Self.document(with: picture, isSideways: degrees != 180, rotatedBy: degrees).write(to: file)
            let text = try await withRecognizer { try await $0.read(file, .pdf) }
            #expect(characterErrorRate(text, of: try Self.letter.trueText) < 0.01)
        }
    }

    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try await body(folder.url)
    }

    private typealias Pixels = UnsafeMutablePointer<Pix>

    /// The letter as a JPEG, stored in another way than it is read.
    private static func jpeg(in folder: URL, stored: (Pixels) -> Pixels?) throws -> Data {
        let page = try #require(pixRead(letter.file.path))
        let gray = try #require(pixConvertTo8(page, 0))
        let picture = try #require(stored(gray))
        let file = folder.appending(path: "stored.jpg")
        #expect(pixWriteJpeg(file.path, picture, 95, 0) == 0)
        for pixels in [page, gray, picture] {
            var pixels: Pixels? = pixels
            pixDestroy(&pixels)
        }
        return try Data(contentsOf: file)
    }

    private static func flipped(_ pixels: Pixels?) -> Pixels? { pixFlipLR(pixels, pixels) }

    /// An APP1 segment with one tag (TIFF 6.0, section 2; the numbers least byte first).
    private static func exif(orientation: UInt16) -> Data {
        let header: [UInt8] = [0x49, 0x49, 42, 0, 8, 0, 0, 0]
        let entry: [UInt8] = [1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, UInt8(orientation), 0, 0, 0, 0, 0, 0, 0]
        let block = Array("Exif\0\0".utf8) + header + entry
        return Data([0xff, 0xe1, 0, UInt8(block.count + 2)] + block)
    }

    /// One page that shows the picture on all of an A4 sheet, which the viewer turns clockwise (ISO 32000-1, table 30).
    private static func document(with jpeg: Data, isSideways: Bool, rotatedBy degrees: Int) throws -> Data {
        let (width, height) = isSideways ? (842, 595) : (595, 842)
        let size = try #require(Self.size(of: jpeg))
        // In hexadecimal, so that the file is text like all of these objects.
        let bytes = jpeg.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined() + ">"
        let content = "q \(width) 0 0 \(height) 0 0 cm /I1 Do Q"
        return PDFFile.made(of: [
            "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 \(width) \(height)] /Rotate \(degrees) /Contents 4 0 R "
                + "/Resources << /XObject << /I1 5 0 R >> >> >>",
            "<< /Length \(content.utf8.count) >>\nstream\n\(content)\nendstream",
            "<< /Type /XObject /Subtype /Image /Width \(size.width) /Height \(size.height) /ColorSpace /DeviceGray "
                + "/BitsPerComponent 8 /Filter [/ASCIIHexDecode /DCTDecode] /Length \(bytes.utf8.count) >>\n"
                + "stream\n\(bytes)\nendstream",
        ])
    }

    private static func size(of jpeg: Data) -> (width: Int, height: Int)? {
        let pixels = jpeg.withUnsafeBytes { pixReadMem($0.bindMemory(to: UInt8.self).baseAddress, jpeg.count) }
        guard let picture = Picture(pixels) else { return nil }
        return (picture.width, picture.height)
    }
}
