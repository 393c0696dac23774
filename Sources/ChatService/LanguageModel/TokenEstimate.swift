/// Estimates tokens without a tokenizer, and cuts text to an estimate.
///
/// Every model has its own tokenizer, and the one behind `LLM_BASE_URL` is not known here. The estimate goes by the
/// length of each character in UTF-8, in quarters of a token: ASCII 1 (English prose runs at about four characters a
/// token), two bytes 2 (Cyrillic: about two characters a token), three bytes 4 (CJK: about one), four bytes 8 (emoji).
/// For prose that is on the high side of today's tokenizers, for tables of digits on the low side by up to a half.
package enum TokenEstimate {
    /// What a message costs besides its text: role and separators.
    package static let perMessage = 4

    /// The estimate for a text, rounded up. Linear in the text's length.
    package static func tokens(in text: String) -> Int {
        let quarters = text.utf8.reduce(0) { $0 + quarterTokens(ofByte: $1) }
        return (quarters + 3) / 4
    }

    /// The longest beginning of a text within the estimate, ending at a space where one is near.
    static func prefix(of text: String, tokens: Int) -> Substring {
        let bytes = text.utf8
        var quarters = tokens * 4
        var end = bytes.startIndex
        while end < bytes.endIndex {
            quarters -= quarterTokens(ofByte: bytes[end])
            guard quarters >= 0 else { break }
            end = bytes.index(after: end)
        }
        // The byte that did not fit starts a character (continuation bytes cost nothing), so `end` is a boundary.
        guard end < bytes.endIndex else { return text[...] }
        let nearby = bytes.index(end, offsetBy: -wordBytesMax, limitedBy: bytes.startIndex) ?? bytes.startIndex
        let space = bytes[nearby..<end].lastIndex(where: isSpace)
        return text[..<(space ?? end)]
    }

    /// The longest end of a text within the estimate, beginning after a space where one is near.
    static func suffix(of text: String, tokens: Int) -> Substring {
        let bytes = text.utf8
        var quarters = tokens * 4
        var start = bytes.endIndex
        var index = bytes.endIndex
        while index > bytes.startIndex {
            bytes.formIndex(before: &index)
            let cost = quarterTokens(ofByte: bytes[index])
            quarters -= cost
            guard quarters >= 0 else { break }
            if cost > 0 { start = index }
        }
        guard start > bytes.startIndex else { return text[...] }
        let nearby = bytes.index(start, offsetBy: wordBytesMax, limitedBy: bytes.endIndex) ?? bytes.endIndex
        let space = bytes[start..<nearby].firstIndex(where: isSpace)
        return text[(space.map { bytes.index(after: $0) } ?? start)...]
    }

    /// How far a cut moves to meet a space; longer runs without one are cut inside.
    private static let wordBytesMax = 64

    private static func quarterTokens(ofByte byte: UInt8) -> Int {
        switch byte {
        case 0x00..<0x80: 1
        case 0x80..<0xC0: 0
        case 0xC0..<0xE0: 2
        case 0xE0..<0xF0: 4
        default: 8
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
}
