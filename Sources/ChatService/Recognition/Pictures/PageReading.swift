/// What Tesseract saw on a page, in reading order.
struct PageReading: Sendable {
    var lines: [ReadLine]

    var words: [ReadWord] { lines.flatMap(\.words) }

    /// The mean confidence of the words, weighted by their length, 0 to 100; 0 without a word.
    var confidence: Double {
        let (sum, weight) = words.reduce(into: (0.0, 0.0)) { total, word in
            let length = Double(word.text.count)
            total.0 += word.confidence * length
            total.1 += length
        }
        return weight > 0 ? sum / weight : 0
    }

    /// The text: a line a line, a blank line between paragraphs.
    var text: String {
        var text = ""
        for line in lines {
            if !text.isEmpty { text += line.startsParagraph ? "\n\n" : "\n" }
            text += line.words.map(\.text).joined(separator: " ")
        }
        return text
    }
}

/// One line of a page.
struct ReadLine: Sendable {
    /// Whether a paragraph or a block begins here.
    let startsParagraph: Bool
    var words: [ReadWord]
}

/// One word, with Tesseract's trust in it, 0 to 100.
struct ReadWord: Sendable {
    var text: String
    let confidence: Double
    let box: PixelBox
}

/// A rectangle in pixels of the picture that was read; right and bottom are outside.
struct PixelBox: Equatable, Sendable {
    let left: Int, top: Int, right: Int, bottom: Int
    var width: Int { right - left }
    var height: Int { bottom - top }
}
