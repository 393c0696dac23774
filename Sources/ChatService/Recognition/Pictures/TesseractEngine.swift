import CLeptonica
import CTesseract
import Glibc

/// The place of the engine: made at the first picture, kept from one document to the next.
final class TesseractSlot {
    private let languages: String
    private var engine: TesseractEngine?

    init(languages: String) {
        self.languages = languages
    }

    /// The warm engine, started if this is the first picture.
    func warm() throws(RecognitionFailure) -> TesseractEngine {
        if let engine { return engine }
        let started = try TesseractEngine(languages: languages)
        engine = started
        return started
    }
}

/// Tesseract with its languages loaded (the LSTM recognizer only).
final class TesseractEngine {
    private let handle: OpaquePointer

    init(languages: String) throws(RecognitionFailure) {
        guard let handle = TessBaseAPICreate() else { throw .unavailable("Tesseract cannot be started") }
        guard TessBaseAPIInit2(handle, nil, languages, OEM_LSTM_ONLY) == 0 else {
            TessBaseAPIDelete(handle)
            throw .unavailable("Tesseract has no data for \(languages)")
        }
        TessBaseAPISetVariable(handle, "debug_file", "/dev/null")
        self.handle = handle
    }

    deinit {
        TessBaseAPIEnd(handle)
        TessBaseAPIDelete(handle)
    }

    /// Recognises a page.
    /// - Parameter pixelsPerInch: the resolution assumed; Tesseract sizes its filters by it.
    func read(_ picture: borrowing Picture, pixelsPerInch: Int) -> PageReading? {
        show(picture, pixelsPerInch, PSM_AUTO)
        defer { TessBaseAPIClear(handle) }
        if layout().hasSplitColumn { show(picture, pixelsPerInch, PSM_SINGLE_COLUMN) }
        guard TessBaseAPIRecognize(handle, nil) == 0 else { return nil }
        guard let iterator = TessBaseAPIGetIterator(handle) else { return PageReading(lines: []) }
        defer { TessResultIteratorDelete(iterator) }
        return Self.reading(iterator)
    }

    private func show(_ picture: borrowing Picture, _ pixelsPerInch: Int, _ mode: TessPageSegMode) {
        TessBaseAPISetPageSegMode(handle, mode)
        TessBaseAPISetImage2(handle, picture.pix)
        TessBaseAPISetSourceResolution(handle, Int32(pixelsPerInch))
    }

    /// Where Tesseract sees blocks of text; `TessBaseAPIRecognize` goes on from there.
    private func layout() -> PageLayout {
        guard let iterator = TessBaseAPIAnalyseLayout(handle) else { return PageLayout(blocks: []) }
        defer { TessPageIteratorDelete(iterator) }
        var blocks: [PixelBox] = []
        repeat {
            var left: Int32 = 0, top: Int32 = 0, right: Int32 = 0, bottom: Int32 = 0
            guard TessPageIteratorBoundingBox(iterator, RIL_BLOCK, &left, &top, &right, &bottom) != 0 else { continue }
            blocks.append(PixelBox(left: Int(left), top: Int(top), right: Int(right), bottom: Int(bottom)))
        } while TessPageIteratorNext(iterator, RIL_BLOCK) != 0
        return PageLayout(blocks: blocks)
    }

    private static func reading(_ iterator: OpaquePointer) -> PageReading {
        let place = TessResultIteratorGetPageIterator(iterator)
        var lines: [ReadLine] = []
        repeat {
            if lines.isEmpty || TessPageIteratorIsAtBeginningOf(place, RIL_TEXTLINE) != 0 {
                let startsBlock = TessPageIteratorIsAtBeginningOf(place, RIL_BLOCK) != 0
                let startsParagraph = TessPageIteratorIsAtBeginningOf(place, RIL_PARA) != 0
                lines.append(ReadLine(startsParagraph: startsBlock || startsParagraph, words: []))
            }
            if let word = word(iterator) { lines[lines.count - 1].words.append(word) }
        } while TessResultIteratorNext(iterator, RIL_WORD) != 0
        return PageReading(lines: lines.filter { !$0.words.isEmpty })
    }

    private static func word(_ iterator: OpaquePointer) -> ReadWord? {
        guard let text = TessResultIteratorGetUTF8Text(iterator, RIL_WORD) else { return nil }
        defer { TessDeleteText(text) }
        let confidence = TessResultIteratorConfidence(iterator, RIL_WORD)
        var left: Int32 = 0, top: Int32 = 0, right: Int32 = 0, bottom: Int32 = 0
        let place = TessResultIteratorGetPageIterator(iterator)
        TessPageIteratorBoundingBox(place, RIL_WORD, &left, &top, &right, &bottom)
        return ReadWord(
            text: String(cString: text), confidence: Double(confidence),
            box: PixelBox(left: Int(left), top: Int(top), right: Int(right), bottom: Int(bottom)))
    }
}
