/// The languages that system prompts and the offline model are written in.
package enum PromptLanguage: String, Sendable, CaseIterable {
    case english = "en"
    case russian = "ru"

    /// At most this many characters of a text are looked at.
    private static let charactersMax = 1_000

    /// Tells the language of a question by the share of Cyrillic among its letters.
    ///
    /// Only the first paragraph that has letters counts: in a message with files the user's own words come first and
    /// the recognised text follows after a blank line, perhaps in another language. From three letters in ten upwards
    /// it is Russian, because Russian questions often carry English names and terms and hardly ever the reverse.
    package init(of question: String) {
        var letters = 0
        var cyrillic = 0
        var lineHasText = false
        for character in question.prefix(Self.charactersMax) {
            if character.isNewline {
                if !lineHasText, letters > 0 { break }
                lineHasText = false
            } else if !character.isWhitespace {
                lineHasText = true
            }
            guard character.isLetter, let scalar = character.unicodeScalars.first else { continue }
            letters += 1
            if (0x0400...0x052F).contains(scalar.value) { cyrillic += 1 }
        }
        self = cyrillic * 10 >= letters * 3 && cyrillic > 0 ? .russian : .english
    }
}
