/// Just enough of Swift's lexical grammar to tell code from comments and string literals.
///
/// Both become blanks, line breaks stay, so that positions and line numbers remain true. Code inside an
/// interpolation stays code.
struct SwiftText {
    private let input: [UInt8]
    private var output: [UInt8] = []
    private var position = 0

    static func code(of text: String) -> String {
        var scanner = SwiftText(input: Array(text.utf8))
        scanner.scanCode(untilClosingParenthesis: false)
        return String(decoding: scanner.output, as: UTF8.self)
    }

    private init(input: [UInt8]) {
        self.input = input
        output.reserveCapacity(input.count)
    }

    private mutating func scanCode(untilClosingParenthesis: Bool) {
        var depth = 0
        while position < input.count {
            if sees("//") {
                blankLine()
            } else if sees("/*") {
                scanBlockComment()
            } else if let hashes = hashesBeforeQuote() {
                scanString(hashes: hashes)
            } else {
                if input[position] == UInt8(ascii: "(") { depth += 1 }
                if input[position] == UInt8(ascii: ")") { depth -= 1 }
                if untilClosingParenthesis && depth < 0 { return }
                keep()
            }
        }
    }

    private mutating func scanBlockComment() {
        var depth = 0
        repeat {
            if sees("/*") {
                depth += 1
                blank(2)
            } else if sees("*/") {
                depth -= 1
                blank(2)
            } else {
                blank(1)
            }
        } while depth > 0 && position < input.count
    }

    private mutating func scanString(hashes: Int) {
        blank(hashes)
        let quotes = sees("\"\"\"") ? "\"\"\"" : "\""
        let marks = String(repeating: "#", count: hashes)
        blank(quotes.count)
        while position < input.count {
            if sees(quotes + marks) { return blank(quotes.count + hashes) }
            if sees("\\" + marks + "(") {
                blank(1 + hashes)
                keep()
                scanCode(untilClosingParenthesis: true)
                keep()
            } else if sees("\\" + marks) {
                blank(2 + hashes)
            } else {
                blank(1)
            }
        }
    }

    /// The number of `#` in front of a quotation mark that begins here, nil if none does.
    private func hashesBeforeQuote() -> Int? {
        var end = position
        while end < input.count, input[end] == UInt8(ascii: "#") { end += 1 }
        return end < input.count && input[end] == UInt8(ascii: "\"") ? end - position : nil
    }

    private func sees(_ text: String) -> Bool {
        input[position...].starts(with: text.utf8)
    }

    private mutating func keep() {
        guard position < input.count else { return }
        output.append(input[position])
        position += 1
    }

    private mutating func blank(_ count: Int) {
        for _ in 0..<count where position < input.count {
            output.append(input[position] == newline ? newline : UInt8(ascii: " "))
            position += 1
        }
    }

    private mutating func blankLine() {
        while position < input.count, input[position] != newline { blank(1) }
    }

    private var newline: UInt8 { UInt8(ascii: "\n") }
}
