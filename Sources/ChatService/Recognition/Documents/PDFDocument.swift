import CLeptonica

/// A PDF file, read page by page with poppler's programs: the text layer of a page that has one, else a picture of it.
///
/// Which page "has one": see `PDFPageText.isLayer`.
struct PDFDocument: ReadableDocument {
    private static let pixelsPerInch = 300.0
    /// A page so large that it would have fewer is refused: nobody can read it.
    private static let pixelsPerInchMin = 72.0

    private let pages: [PDFPage]
    /// What poppler complains about whichever page it is asked for.
    private let complaints: Set<Substring>
    private let file: DocumentFile
    private let engine: TesseractSlot

    var pageCount: Int { pages.count }

    /// Asks for the number and sizes of the pages; nothing is drawn yet.
    init(_ file: DocumentFile, _ engine: TesseractSlot) throws(RecognitionFailure) {
        let run = try ProgramRun(
            ["pdfinfo", "-f", "1", "-l", String(DocumentLimits.pages + 1), Self.input],
            input: file.descriptor, maxBytes: 1 << 20)
        guard run.succeeded else {
            let isLocked = run.complaints.contains { $0.contains("Incorrect password") }
            throw isLocked ? .encryptedFile : RecognitionFailure.unreadableFile("The PDF file is damaged.")
        }
        let count = run.lines.firstNonNil { PDFPage.count($0) } ?? 0
        guard count <= DocumentLimits.pages else { throw .tooManyPages(count) }
        pages = run.lines.compactMap { PDFPage($0) }
        guard count > 0, pages.count == count else { throw .unreadableFile("The PDF file is damaged.") }
        complaints = Set(run.complaints)
        self.file = file
        self.engine = engine
    }

    func page(_ number: Int) throws(RecognitionFailure) -> RecognizedPage {
        guard pages[number - 1].isThere else { return try undrawn() }
        let text = PDFPageText(raw: try layer(number))
        if try text.isLayer(orElse: { () throws(RecognitionFailure) in try imageShare(number) < 0.5 }) {
            return .text(text.normalized)
        }
        return try recognized(number, fallback: text.normalized)
    }

    /// Poppler's name for descriptor 0.
    private static let input = "fd://0"

    private func layer(_ number: Int) throws(RecognitionFailure) -> String {
        let run = try ProgramRun(
            [
                "pdftotext", "-q", "-f", String(number), "-l", String(number), "-enc", "UTF-8", "-nopgbrk", Self.input,
                "-",
            ],
            input: file.descriptor, maxBytes: DocumentLimits.textBytes)
        return run.succeeded ? String(decoding: run.output, as: UTF8.self) : ""
    }

    /// How much of the page pictures could cover, 0 to 1 and above: the sum of their areas.
    private func imageShare(_ number: Int) throws(RecognitionFailure) -> Double {
        let run = try ProgramRun(
            ["pdfimages", "-list", "-f", String(number), "-l", String(number), Self.input],
            input: file.descriptor, maxBytes: 1 << 20)
        let squareInches = run.lines.reduce(0) { $0 + PDFPage.squareInches(ofImage: $1) }
        return squareInches / max(pages[number - 1].squareInches, 0.01)
    }

    /// Poppler leaves out what it cannot draw, a broken picture for example, complains, and succeeds: a page that is
    /// empty then was not read.
    private func recognized(_ number: Int, fallback: String) throws(RecognitionFailure) -> RecognizedPage {
        let resolution = min(Self.pixelsPerInch, pages[number - 1].pixelsPerInchMax)
        guard resolution >= Self.pixelsPerInchMin else {
            guard pageCount > 1 else { throw .tooManyPixels }
            return .unreadable("too many pixels")
        }
        var messages: [Substring] = []
        guard let picture = try drawn(number, resolution, complaints: &messages) else { return try undrawn() }
        let text = try PictureReader(engine: try engine.warm()).text(of: picture)
        guard text.isEmpty, fallback.isEmpty else { return .text(text.isEmpty ? fallback : text) }
        return messages.allSatisfy(complaints.contains) ? .text("") : try undrawn()
    }

    private func undrawn() throws(RecognitionFailure) -> RecognizedPage {
        guard pageCount > 1 else { throw .unreadableFile("The page cannot be drawn.") }
        return .unreadable("cannot be drawn")
    }

    private func drawn(
        _ number: Int, _ resolution: Double, complaints: inout [Substring]
    ) throws(RecognitionFailure) -> Picture? {
        let run = try ProgramRun(
            [
                "pdftoppm", "-f", String(number), "-l", String(number), "-singlefile", "-cropbox",
                "-r", String(Int(resolution)), "-gray", Self.input,
            ], input: file.descriptor, maxBytes: DocumentLimits.pixels + 64)
        complaints = run.complaints
        guard run.succeeded else { return nil }
        return Picture(pixReadMemPnm(run.output, run.output.count))?.uprightGray()
    }
}

/// A page as pdfinfo tells of it, in points (1/72 inch).
struct PDFPage: Equatable, Sendable {
    let width: Double
    let height: Double

    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    /// Reads a line like `Page    3 size:  595.276 x 841.89 pts (A4)`.
    init?(_ line: Substring) {
        let words = line.split(separator: " ")
        guard words.count >= 6, words[0] == "Page", words[2] == "size:", words[4] == "x",
            let width = Double(words[3]), let height = Double(words[5]),
            width >= 0, height >= 0, width.isFinite, height.isFinite
        else { return nil }
        self.width = width
        self.height = height
    }

    /// Reads a line like `Pages:           12`.
    static func count(_ line: Substring) -> Int? {
        let words = line.split(separator: " ")
        return words.count == 2 && words[0] == "Pages:" ? Int(words[1]) : nil
    }

    /// Whether the document has it: of a page that it only counts, pdfinfo says 0 x 0.
    var isThere: Bool { width > 0 && height > 0 }

    var squareInches: Double { width * height / (72 * 72) }

    /// The resolution at which this page has as many pixels as allowed.
    var pixelsPerInchMax: Double {
        let side = Double(DocumentLimits.side - 1) * 72 / max(width, height)
        return min((Double(DocumentLimits.pixels) * 0.99 / squareInches).squareRoot(), side)
    }

    /// Reads a line of `pdfimages -list`: page, number, type, width, height, colour, components, bits, encoding,
    /// interpolation, object, generation, x-ppi, y-ppi, size, ratio.
    /// - Returns: the area of the image on paper; 0 for the two lines of heading, and for masks.
    static func squareInches(ofImage line: Substring) -> Double {
        let words = line.split(separator: " ")
        guard words.count >= 14, words[2] == "image", let width = Double(words[3]), let height = Double(words[4]),
            let across = Double(words[12]), let down = Double(words[13]), across > 0, down > 0
        else { return 0 }
        return width / across * height / down
    }
}

/// What pdftotext found on one page.
struct PDFPageText {
    /// So much text is a text layer whatever else is on the page: a letter has 1,000 characters, the stamp or page
    /// number that is put on a scan far fewer.
    private static let plenty = 200

    let raw: String

    var normalized: String { PageText(raw).normalized }

    /// Whether this is the page's text, rather than a few glyphs on a picture of text.
    ///
    /// - No letter or digit: no. - More than a tenth without meaning (fonts that do not say which character a glyph
    /// is): no. - 200 letters or more: yes, also where the text is invisible behind a scan, because then somebody has
    /// recognised the page before and may have corrected it. - Fewer: if no picture covers the page.
    /// - Parameter hasNoPicture: asked only in the last case.
    func isLayer(orElse hasNoPicture: () throws(RecognitionFailure) -> Bool) throws(RecognitionFailure) -> Bool {
        var letters = 0
        var broken = 0
        for scalar in raw.unicodeScalars {
            switch scalar.value {
            case 0xfffd, 0xe000...0xf8ff, 0x00..<0x09, 0x0e..<0x20: broken += 1
            default: if scalar.properties.isAlphabetic || scalar.properties.numericType != nil { letters += 1 }
            }
        }
        guard letters > 0, broken * 10 <= letters + broken else { return false }
        if letters >= Self.plenty { return true }
        return try hasNoPicture()
    }
}

extension Sequence {
    fileprivate func firstNonNil<T>(_ transform: (Element) -> T?) -> T? {
        for element in self {
            if let value = transform(element) { return value }
        }
        return nil
    }
}
