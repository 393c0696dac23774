/// What the offline model says about a question: who it is, how to replace it, and what can be counted in the text.
struct OfflineAnswer {
    private let language: PromptLanguage
    private let firstLine: String
    private let words: Int
    private let frequentWords: [String]
    private let earlierTurns: Int

    init(question: String, earlierTurns: Int) {
        language = PromptLanguage(of: question)
        firstLine = Self.firstLine(of: question)
        words = Self.countWords(in: question)
        frequentWords = Self.frequentWords(in: question)
        self.earlierTurns = earlierTurns
    }

    /// The answer in pieces, as it is streamed.
    var paragraphs: [String] {
        switch language {
        case .english: [introduction, "Your message begins: “\(firstLine)”", englishCounts]
        case .russian: [introduction, "Ваше сообщение начинается так: «\(firstLine)»", russianCounts]
        }
    }

    private var introduction: String {
        switch language {
        case .english:
            "This is Parley's built-in offline model. It does not understand text; it answers at once and always the "
                + "same, so that everything around it can be tried. For real answers set LLM_BASE_URL (for example "
                + "http://localhost:11434/v1), LLM_MODEL and, if needed, LLM_API_KEY, and restart the service."
        case .russian:
            "Это встроенная офлайн-модель Parley. Она не понимает текст, а отвечает сразу и всегда одинаково, чтобы "
                + "можно было проверить всё вокруг неё. Чтобы получать настоящие ответы, задайте LLM_BASE_URL "
                + "(например, http://localhost:11434/v1), LLM_MODEL и, если нужен, LLM_API_KEY и перезапустите сервис."
        }
    }

    private var englishCounts: String {
        var text = "Words in it: \(words). Earlier answers in this prompt: \(earlierTurns)."
        if !frequentWords.isEmpty { text += " Most frequent words: \(frequentWords.joined(separator: ", "))." }
        return text
    }

    private var russianCounts: String {
        var text = "Слов в нём: \(words). Прежних ответов в запросе: \(earlierTurns)."
        if !frequentWords.isEmpty { text += " Чаще всего встречаются слова: \(frequentWords.joined(separator: ", "))." }
        return text
    }

    private static let firstLineCharactersMax = 200
    private static let frequentWordsMax = 5
    /// A word of fewer letters is hardly ever what a text is about.
    private static let frequentWordLettersMin = 5
    /// How much of a text is searched for frequent words; a document of 100 pages must not make the answer slow.
    private static let searchedBytesMax = 64 * 1024

    private static func firstLine(of text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first { !$0.allSatisfy(\.isWhitespace) } ?? ""
        let start = line.prefix(firstLineCharactersMax)
        return start.endIndex < line.endIndex ? start + "…" : String(start)
    }

    /// Runs of anything but ASCII white space: by bytes, as the text may be megabytes long.
    private static func countWords(in text: String) -> Int {
        var words = 0
        var isInside = false
        for byte in text.utf8 {
            let isSpace = byte == 0x20 || (0x09...0x0D).contains(byte)
            if !isSpace, !isInside { words += 1 }
            isInside = !isSpace
        }
        return words
    }

    private static func frequentWords(in text: String) -> [String] {
        let end = text.utf8.index(text.startIndex, offsetBy: searchedBytesMax, limitedBy: text.endIndex)
        var counts: [String: Int] = [:]
        for word in text[..<(end ?? text.endIndex)].split(whereSeparator: { !$0.isLetter }) {
            guard word.count >= frequentWordLettersMin else { continue }
            counts[word.lowercased(), default: 0] += 1
        }
        // Ties are broken by the alphabet: the order of a dictionary differs from run to run.
        let sorted = counts.filter { $0.value > 1 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return sorted.prefix(frequentWordsMax).map(\.key)
    }
}
