import Shared

/// The title that a conversation gets from its first question while it has the default one: the first line of the
/// question, or the name of the first file. The same question always gives the same title.
enum ConversationTitle {
    /// The title of a conversation that was made without one.
    static let byDefault = "New conversation"
    static let charactersMax = 100
    /// Longer words than this are cut too, so that a title is never nearly empty.
    private static let wordCharactersMax = 40

    /// - Parameters:
    ///   - question: may be empty when files came with it.
    ///   - fileName: of the first file.
    static func made(from question: String, fileName: String?) -> String {
        for text in [question, fileName ?? ""] {
            for line in text.split(whereSeparator: \.isNewline) {
                let title = cut(cleaned(line))
                if !title.isEmpty { return title }
            }
        }
        return byDefault
    }

    /// One blank between words; no control characters, which a title may not have.
    private static func cleaned(_ line: Substring) -> String {
        let visible = line.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? " " : Character(scalar)
        }
        return String(visible).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// At most `charactersMax` Unicode scalars, with an ellipsis where something was cut off, at the end of a word.
    private static func cut(_ text: String) -> String {
        guard text.unicodeScalars.count > charactersMax else { return text }
        var kept = ""
        var scalars = 0
        for character in text {
            scalars += character.unicodeScalars.count
            if scalars > charactersMax - 1 { break }
            kept.append(character)
        }
        let wordStart = kept.lastIndex(of: " ") ?? kept.startIndex
        let isLongWord = kept.distance(from: wordStart, to: kept.endIndex) > wordCharactersMax
        let isCutInWord = text.dropFirst(kept.count).first != " "
        if isCutInWord, !isLongWord { kept = String(kept[..<wordStart]) }
        return kept.trimmingWhitespace + "…"
    }

    /// The assignments, in an update of `chat.conversations` that also counts `changes` and `messages_count` up, that
    /// give an untouched conversation the title.
    static func assignment(of title: String) -> SQL {
        """
        title = case when title = \(byDefault) and messages_count = 0 then \(title) else title end,
        own_change = case when title = \(byDefault) and messages_count = 0 then changes + 1 else own_change end
        """
    }
}
