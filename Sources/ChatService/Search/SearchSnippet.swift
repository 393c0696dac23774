/// A piece of a message with the words that were looked for: plain text, and where in it they stand. There is no markup
/// in it, neither ours nor one that the text brings along: a page sets it as text and marks the ranges itself.
struct SearchSnippet: Sendable, Equatable {
    /// A word that matched.
    struct Match: Sendable, Equatable {
        /// In UTF-16 code units, as JavaScript counts.
        let offset: Int
        let length: Int
    }

    let text: String
    let matches: [Match]

    /// What PostgreSQL puts around a match: START OF TEXT and END OF TEXT, which are taken out of messages before.
    static let marks = "\u{2}\u{3}"
    private static let selection = "StartSel=\"\u{2}\", StopSel=\"\u{3}\", "
    /// For `ts_headline`: up to two fragments of the text, from which PostgreSQL leaves out what it takes for tags.
    static let options = selection + "MaxFragments=2, MinWords=8, MaxWords=24, FragmentDelimiter=\" … \""
    /// A text up to this length, in UTF-8, is its own snippet.
    static let wholeBytesMax = 400
    static let wholeOptions = selection + "HighlightAll=true"

    /// - Parameter headline: with the marks.
    init(headline: String) {
        var text = String.UnicodeScalarView()
        var matches: [Match] = []
        var units = 0
        var start: Int?
        for scalar in headline.unicodeScalars {
            switch scalar {
            case "\u{2}": start = units
            case "\u{3}":
                if let from = start, units > from { matches.append(Match(offset: from, length: units - from)) }
                start = nil
            default:
                // Line ends and other control characters have no place in a line of a list.
                let isControl = scalar.properties.generalCategory == .control
                text.append(isControl ? " " : scalar)
                units += isControl ? 1 : UTF16.width(scalar)
            }
        }
        self.text = String(text)
        self.matches = matches
    }
}
