import Foundation
import TestSupport

/// A document of several pages, one of which cannot be read any more.
struct DamagedDocument: Sendable {
    /// The document as it was.
    let fixture: Fixture
    /// The page that is damaged, counted from 1.
    let page: Int
    let bytes: Data

    /// The text of every page as it was before.
    var trueTexts: [String] {
        get throws { try fixture.trueText.split(separator: "\u{c}").map(String.init) }
    }

    /// A TIFF whose second page has a strip of zeros, which is no code of CCITT group 4 (ITU-T T.6).
    static func tiff() throws -> DamagedDocument {
        let fixture = Fixture("documents/contract_en_3pages.tiff")
        var bytes = [UInt8](try fixture.bytes)
        let directory = TIFFPlaces(bytes).directories[1]
        let strip = TIFFPlaces(bytes).strip(5, of: directory)
        bytes.replaceSubrange(strip, with: repeatElement(0, count: strip.count))
        return DamagedDocument(fixture: fixture, page: 2, bytes: Data(bytes))
    }

    /// A scanned PDF whose third page has noise where its picture was.
    static func pdf() throws -> DamagedDocument {
        let fixture = Fixture("documents/scan_mixed_5pages.pdf")
        var bytes = try fixture.bytes
        try damagePicture(3, of: &bytes)
        return DamagedDocument(fixture: fixture, page: 3, bytes: bytes)
    }

    /// The same with no picture left.
    static func pdfOfNoise() throws -> Data {
        var bytes = try Fixture("documents/scan_mixed_5pages.pdf").bytes
        for page in 1...5 { try damagePicture(page, of: &bytes) }
        return bytes
    }

    /// The n-th stream with the filter of pictures (ISO 32000-1, 7.3.8), by the length that it tells.
    private static func damagePicture(_ number: Int, of bytes: inout Data) throws {
        var start = bytes.startIndex
        for _ in 0..<number {
            let filter = bytes.range(of: Data("/CCITTFaxDecode".utf8), in: start..<bytes.endIndex)
            start = try filter.orThrow("picture \(number)").upperBound
        }
        let head = try bytes.range(of: Data("stream\n".utf8), in: start..<bytes.endIndex).orThrow("stream")
        let words = String(decoding: bytes[start..<head.lowerBound], as: UTF8.self)
        let length = try words.firstMatch(of: #/\/Length (\d+)/#).flatMap { Int($0.1) }.orThrow("length")
        var random = UInt64(number)
        for index in head.upperBound..<(head.upperBound + length) {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            bytes[index] = UInt8(truncatingIfNeeded: random >> 33)
        }
    }
}

/// Where the parts of a little-endian TIFF file lie (TIFF 6.0, section 2).
private struct TIFFPlaces {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var directories: [Int] {
        var found: [Int] = []
        var next = number(at: 4, width: 4)
        while next != 0 {
            found.append(next)
            next = number(at: next + 2 + 12 * number(at: next, width: 2), width: 4)
        }
        return found
    }

    /// The bytes of a strip, by the tags StripOffsets and StripByteCounts.
    func strip(_ index: Int, of directory: Int) -> Range<Int> {
        let (offsets, counts) = (value(of: 273, in: directory), value(of: 279, in: directory))
        let offset = number(at: offsets + 4 * index, width: 4)
        return offset..<(offset + number(at: counts + 4 * index, width: 4))
    }

    private func value(of tag: Int, in directory: Int) -> Int {
        let entries = (0..<number(at: directory, width: 2)).map { directory + 2 + 12 * $0 }
        return entries.first { number(at: $0, width: 2) == tag }.map { number(at: $0 + 8, width: 4) } ?? 0
    }

    private func number(at offset: Int, width: Int) -> Int {
        (0..<width).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }
}
