import Foundation

/// A file that means harm, made when it is needed: too large to keep, or one of a family.
struct HostileFile: Sendable, CustomStringConvertible {
    let name: String
    let bytes: Data
    /// Every end that is right: `completed`, a terminal code, or `refused`.
    let ends: Set<String>

    var description: String { name }

    init(_ name: String, _ ends: Set<String>, _ bytes: [UInt8]) {
        self.name = name
        self.ends = ends
        self.bytes = Data(bytes)
    }

    /// All of them; made anew at each call.
    static var all: [HostileFile] { pictures + portableDocuments + wordDocuments + texts }

    private static var pictures: [HostileFile] {
        let blank: Set = ["no_text_found", "unreadable_file"]
        return [
            HostileFile("gif_5000_frames_of_16_megapixels.gif", blank, animation(frames: 5000, side: 4000)),
            HostileFile("webp_3000_frames.webp", ["unreadable_file"], animatedWebP(frames: 3000)),
            HostileFile("tiff_5000_directories.tiff", ["too_many_pages"], tiff(directories: 5000)),
            HostileFile("png_49_megapixels_of_64_bits.png", blank, png(side: 7000)),
            HostileFile("png_51_megapixels.png", ["too_many_pixels"], png(side: 7150)),
        ]
    }

    private static var portableDocuments: [HostileFile] {
        [
            HostileFile("pdf_5000_pages.pdf", ["too_many_pages"], pdf(pages: 5000, inches: 8)),
            HostileFile("pdf_90_pages_of_200_inches.pdf", ["unreadable_file"], pdf(pages: 90, inches: 200)),
            HostileFile("pdf_nested_objects.pdf", ["unreadable_file", "no_text_found"], nestedPDF(depth: 200_000)),
        ]
    }

    private static var wordDocuments: [HostileFile] {
        let start = "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>"
        let refused: Set = ["unreadable_file"]
        return [
            HostileFile("docx_64_mib_of_text.docx", refused, word(start + "<w:p><w:r><w:t>", again: "a", 64 << 20)),
            HostileFile("docx_a_million_levels.docx", refused, word(start, again: "<w:p>", 5_000_000)),
            HostileFile("docx_a_name_of_30_mib.docx", refused, word(start + "<w:", again: "p", 30 << 20)),
        ]
    }

    private static var texts: [HostileFile] {
        let size = 19 << 20
        return [
            HostileFile("text_one_line.txt", ["completed"], [UInt8](repeating: 0x61, count: size)),
            HostileFile("text_line_ends.txt", ["no_text_found"], [UInt8](repeating: 0x0A, count: size)),
            HostileFile("text_marks_on_one_letter.txt", ["completed"], repeated([0xCC, 0x81], size, after: [0x61])),
            // Small: it is refused by its first bytes, and a client that is still sending may not hear it.
            HostileFile("text_binary.txt", ["unreadable_file", "refused"], repeated([0x01, 0x02, 0x61], 60_000)),
        ]
    }

    private static func repeated(_ pattern: [UInt8], _ size: Int, after start: [UInt8] = []) -> [UInt8] {
        var bytes = start
        bytes.reserveCapacity(size)
        while bytes.count + pattern.count <= size { bytes += pattern }
        return bytes
    }
}

extension HostileFile {
    /// A GIF of blank frames: of each frame two codes, "clear" and "end" (GIF89a, appendix F).
    private static func animation(frames: Int, side: UInt16) -> [UInt8] {
        let sides = [UInt8](little: side) + [UInt8](little: side)
        var bytes = Array("GIF89a".utf8) + sides + [0x80, 0, 0, 255, 255, 255, 0, 0, 0]
        let frame = [0x2C, 0, 0, 0, 0] + sides + [0, 2, 1, 0x2C, 0]
        for _ in 0..<frames { bytes += frame }
        return bytes + [0x3B]
    }

    /// RIFF, VP8X with the bit for animation, ANIM, and frames without content (WebP container specification).
    private static func animatedWebP(frames: Int) -> [UInt8] {
        func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
            Array(name.utf8) + [UInt8](little: UInt32(body.count)) + body
        }
        var chunks = chunk("VP8X", [0x02, 0, 0, 0, 0xFF, 0x07, 0, 0xFF, 0x07, 0])
        chunks += chunk("ANIM", [255, 255, 255, 255, 0, 0])
        let frame = chunk("ANMF", [UInt8](repeating: 0, count: 6) + [0xFF, 0x07, 0, 0xFF, 0x07, 0, 10, 0, 0, 0])
        for _ in 0..<frames { chunks += frame }
        return Array("RIFF".utf8) + [UInt8](little: UInt32(chunks.count + 4)) + Array("WEBP".utf8) + chunks
    }

    /// Directories of two tags, width and height, each pointing at the next.
    private static func tiff(directories: Int) -> [UInt8] {
        var bytes = Array("II".utf8) + [42, 0, 8, 0, 0, 0]
        for number in 1...directories {
            bytes += [2, 0, 0, 1, 3, 0, 1, 0, 0, 0, 100, 0, 0, 0, 1, 1, 3, 0, 1, 0, 0, 0, 100, 0, 0, 0]
            bytes += [UInt8](little: number == directories ? 0 : UInt32(8 + number * 30))
        }
        return bytes
    }

    /// A blank picture of 16 bits for each of red, green, blue and alpha, a hundredth of that in the file.
    private static func png(side: UInt32) -> [UInt8] {
        func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
            let named = Array(name.utf8) + body
            return [UInt8](big: UInt32(body.count)) + named + [UInt8](big: named.crc32)
        }
        var data = DeflateStream()
        data.literal([0])
        data.again(period: 1, count: Int(side) * (Int(side) * 8 + 1) - 1)
        // What is not a multiple of a match's length.
        data.literal([UInt8](repeating: 0, count: Int(side) * (Int(side) * 8 + 1) - data.inflatedCount))
        data.end()
        // Of zeros alone, Adler-32 is 1 and the count.
        let adler = UInt32(data.inflatedCount % 65_521) << 16 | 1
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + chunk("IHDR", [UInt8](big: side) + [UInt8](big: side) + [16, 6, 0, 0, 0])
            + chunk("IDAT", [0x78, 0x01] + data.bytes + [UInt8](big: adler)) + chunk("IEND", [])
    }

    /// Pages without content, all in one tree.
    private static func pdf(pages: Int, inches: Int) -> [UInt8] {
        var objects = ["<</Type/Catalog/Pages 2 0 R>>"]
        let kids = (0..<pages).map { "\($0 + 3) 0 R" }.joined(separator: " ")
        let box = "/MediaBox[0 0 \(inches * 72) \(inches * 72)]"
        objects.append("<</Type/Pages/Count \(pages)/Kids[\(kids)]\(box)>>")
        objects += Array(repeating: "<</Type/Page/Parent 2 0 R>>", count: pages)
        return pdf(objects)
    }

    /// Arrays in arrays: a parser that calls itself runs out of stack.
    private static func nestedPDF(depth: Int) -> [UInt8] {
        let nested = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        return pdf([
            "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>",
            "<</Type/Page/Parent 2 0 R/MediaBox \(nested)/Resources \(nested)>>",
        ])
    }

    private static func pdf(_ objects: [String]) -> [UInt8] {
        var text = "%PDF-1.4\n"
        var places: [Int] = []
        for (index, object) in objects.enumerated() {
            places.append(text.utf8.count)
            text += "\(index + 1) 0 obj\(object)endobj\n"
        }
        let table = text.utf8.count
        text += "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for place in places { text += String(repeating: "0", count: 10 - "\(place)".count) + "\(place) 00000 n \n" }
        text += "trailer<</Size \(objects.count + 1)/Root 1 0 R>>\nstartxref\n\(table)\n%%EOF\n"
        return Array(text.utf8)
    }

    /// A package with this document.
    static func word(document xml: String) -> Data {
        var data = DeflateStream()
        data.literal(xml.utf8)
        data.end()
        return Data(package(data))
    }

    /// A package whose document begins with `start` and then repeats itself up to `count` bytes.
    private static func word(_ start: String, again pattern: String, _ count: Int) -> [UInt8] {
        var data = DeflateStream()
        data.literal(Array(start.utf8) + Array(pattern.utf8))
        data.again(period: pattern.utf8.count, count: count)
        data.end()
        return package(data)
    }

    private static func package(_ document: DeflateStream) -> [UInt8] {
        let types = Array("<Types/>".utf8)
        return ZIPFile(parts: [
            ("[Content_Types].xml", 0, types, types.count),
            ("word/document.xml", 8, document.bytes, document.inflatedCount),
        ]).bytes
    }
}

/// A ZIP archive of parts that are compressed already (APPNOTE.TXT 4.3). The check sums are left at zero: who reads so
/// far has read too far.
private struct ZIPFile {
    private(set) var bytes: [UInt8] = []

    init(parts: [(name: String, method: UInt16, data: [UInt8], inflatedCount: Int)]) {
        var directory: [UInt8] = []
        for part in parts {
            let name = Array(part.name.utf8)
            let sum = part.method == 0 ? part.data.crc32 : 0
            let about =
                [20, 0, 0, 0] + [UInt8](little: part.method) + [0, 0, 0x21, 0] + [UInt8](little: sum)
                + [UInt8](little: UInt32(part.data.count)) + [UInt8](little: UInt32(part.inflatedCount))
                + [UInt8](little: UInt16(name.count)) + [0, 0]
            directory += [0x50, 0x4B, 1, 2, 20, 0] + about + [UInt8](repeating: 0, count: 10)
            directory += [UInt8](little: UInt32(bytes.count)) + name
            bytes += [0x50, 0x4B, 3, 4] + about + name + part.data
        }
        let start = UInt32(bytes.count)
        bytes += directory + [0x50, 0x4B, 5, 6, 0, 0, 0, 0]
        bytes += [UInt8](little: UInt16(parts.count)) + [UInt8](little: UInt16(parts.count))
        bytes += [UInt8](little: UInt32(directory.count)) + [UInt8](little: start) + [0, 0]
    }
}
