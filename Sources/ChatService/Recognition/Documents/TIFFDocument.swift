import CLeptonica

/// A TIFF file of one or more pages.
struct TIFFDocument: ReadableDocument {
    let pageCount: Int
    private let file: DocumentFile
    private let engine: TesseractSlot

    /// Counts the pages and checks the size of each by its directory; nothing is decoded yet.
    init(_ file: DocumentFile, _ engine: TesseractSlot) throws(RecognitionFailure) {
        let pages = TIFFDirectory.chain(file.bytes, max: DocumentLimits.pages + 1)
        guard !pages.isEmpty else { throw .unreadableFile("The picture is damaged.") }
        guard pages.count <= DocumentLimits.pages else { throw .tooManyPages(pages.count) }
        for page in pages {
            guard let size = page.size else { throw .unreadableFile("The picture is damaged.") }
            try size.check()
        }
        pageCount = pages.count
        self.file = file
        self.engine = engine
    }

    func page(_ number: Int) throws(RecognitionFailure) -> RecognizedPage {
        let data = file.bytes.bindMemory(to: UInt8.self).baseAddress
        // Leptonica follows the Orientation tag of a TIFF by itself.
        guard let picture = Picture(pixReadMemTiff(data, file.bytes.count, Int32(number - 1)))?.uprightGray() else {
            guard pageCount > 1 else { throw .unreadableFile("The picture is damaged.") }
            return .unreadable("damaged picture")
        }
        return .text(try PictureReader(engine: try engine.warm()).text(of: picture))
    }
}
