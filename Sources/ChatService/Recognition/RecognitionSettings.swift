import Glibc

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

    /// Where Debian's packages of Tesseract 5 and 4 put the languages, and where others do.
    private static let dataDirectories = [
        "/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tesseract-ocr/4.00/tessdata", "/usr/share/tessdata",
        "/usr/local/share/tessdata",
    ]

    /// The languages that Tesseract has no data for; none where nobody knows where its data is. Only looks for files:
    /// nothing of Tesseract runs in the serving process.
    var missingLanguages: [String] {
        let directories = tessdataPrefix.map { [$0] } ?? Self.dataDirectories
        guard let directory = directories.first(where: { access($0, X_OK) == 0 }) else {
            return tessdataPrefix == nil ? [] : languages.split(separator: "+").map(String.init)
        }
        return languages.split(separator: "+").map(String.init).filter {
            access("\(directory)/\($0).traineddata", R_OK) != 0
        }
    }
}
