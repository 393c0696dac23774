/// What a user wants to be called: 1 to 255 characters after trimming, no control characters.
struct PersonName: Hashable, Sendable {
    /// In Unicode code points, as `char_length` of the database counts.
    static let charactersMax = 255

    let text: String

    /// Nil when nothing is left after trimming, too much is left, or a control character or line separator is in it.
    init?(_ text: String) {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return nil }
        let trimmed = scalars[first...last]
        guard trimmed.count <= Self.charactersMax, trimmed.allSatisfy(Self.isPrintable) else { return nil }
        self.text = String(trimmed)
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
