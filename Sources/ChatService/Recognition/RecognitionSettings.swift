/// How documents are recognised, made once at start.
struct RecognitionSettings: Sendable {
    /// Tesseract's languages, joined by `+` (`OCR_LANGUAGES`).
    var languages: String
    /// The longest one page, or the opening of one document, may take (`OCR_PAGE_SECONDS`).
    var pageSeconds: Int
    /// The program started as the recognizing child; by default the one that is running.
    var executable: String
    /// Where Tesseract finds its languages, if not where its package put them (`TESSDATA_PREFIX`).
    var tessdataPrefix: String?

    init(
        languages: String = "eng+rus", pageSeconds: Int = 60, executable: String = "/proc/self/exe",
        tessdataPrefix: String? = nil
    ) {
        self.languages = languages
        self.pageSeconds = pageSeconds
        self.executable = executable
        self.tessdataPrefix = tessdataPrefix
    }
}
