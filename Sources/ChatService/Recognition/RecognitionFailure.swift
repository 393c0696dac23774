/// Why a document, or the page asked for, could not be read.
enum RecognitionFailure: Error, Equatable, Sendable {
    /// The file is damaged or not what it seemed to be. The text is a sentence for its owner.
    case unreadableFile(String)
    /// The document needs a password.
    case encryptedFile
    /// The document has more than `DocumentLimits.pages`; the number is how many were counted.
    case tooManyPages(Int)
    /// A page has more than `DocumentLimits.pixels`, or a side longer than `DocumentLimits.side`.
    case tooManyPixels
    /// The page took longer than `RecognitionSettings.pageSeconds`; the child was killed.
    case timedOut
    /// The child died; the text says how, for the log.
    case crashed(String)
    /// `RecognizerProcess.interrupt()` was called.
    case cancelled
    /// Nothing can be recognised here now: no child, no languages, no poppler. For the log.
    case unavailable(String)
}

/// What became of one page.
enum RecognizedPage: Equatable, Sendable {
    /// Its text: valid UTF-8 without control characters other than line feed and tab; empty for a blank page.
    case text(String)
    /// This page cannot be read, others of the document may; the reason is for the log.
    case unreadable(String)
}

/// The bounds of a document (HTTP contract, "Files").
enum DocumentLimits {
    /// Pages a file.
    static let pages = 100
    /// Pixels a page.
    static let pixels = 50_000_000
    /// Pixels a side: Tesseract keeps coordinates in 16 bits.
    static let side = 32_767
    /// Bytes of UTF-8 a page's text may have, and with it one answer of the child: twice the largest file, as a letter
    /// that is one byte of Windows-1251 is two of UTF-8.
    static let textBytes = 40 << 20
}
