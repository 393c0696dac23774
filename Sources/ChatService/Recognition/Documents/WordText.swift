/// The text of one part of a Word document (ECMA-376-1, 17.3 and 17.4).
///
/// A paragraph is a line, empty ones are left out; a row of a table is a line, its cells parted by tabs. Deleted text
/// and field codes are other elements than `w:t` and so never seen.
struct WordText {
    /// Transitional and strict name of the namespace.
    private static let namespaces = [
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "http://purl.oclc.org/ooxml/wordprocessingml/main",
    ]

    /// Every line ended by a line feed.
    private(set) var text = ""
    /// The cells of each open row, the innermost table last.
    private var rows: [[String]] = []
    private var isInText = false
    /// Levels of an element whose content is not read.
    private var skipping = 0

    /// Reads a part; one that is missing is damage.
    init(_ package: WordPackage, part: String) throws(RecognitionFailure) {
        var reader = WordText()
        let isThere = try package.read(part) { reader.take($0) }
        guard isThere else { throw .unreadableFile("The Word file is damaged.") }
        reader.endLine()
        self = reader
    }

    private init() {}

    private mutating func take(_ element: XMLElement) {
        switch element.kind {
        case .text: if isInText, skipping == 0 { append(element.value) }
        case .start: start(element)
        case .end: end(element)
        }
    }

    private mutating func start(_ element: XMLElement) {
        let name = element.name
        if skipping > 0 || Self.isSkipped(element, name) {
            if !element.isEmpty { skipping += 1 }
            return
        }
        guard Self.namespaces.contains(element.namespace) else { return }
        switch name {
        case "t": isInText = !element.isEmpty
        case "tab", "ptab": append("\t")
        case "br", "cr": append("\n")
        case "noBreakHyphen": append("\u{2011}")
        case "tr": rows.append([])
        case "tc": if !rows.isEmpty { rows[rows.count - 1].append("") }
        // A paragraph in a paragraph: a text box.
        case "p": endLine()
        default: break
        }
    }

    private mutating func end(_ element: XMLElement) {
        guard skipping == 0 else {
            skipping -= 1
            return
        }
        guard Self.namespaces.contains(element.namespace) else { return }
        switch element.name {
        case "t": isInText = false
        case "p": endLine()
        case "tr": endRow()
        default: break
        }
    }

    /// Properties (their `w:tab` is a tab stop, not a tab) and the second form of what was read in its first.
    private static func isSkipped(_ element: XMLElement, _ name: String) -> Bool {
        name == "pPr" || name == "rPr" || name == "Fallback" || name == "sectPr"
    }

    private mutating func append(_ characters: String) {
        if let row = rows.indices.last, let cell = rows[row].indices.last {
            rows[row][cell] += characters
        } else {
            text += characters
        }
    }

    /// Ends a paragraph: a line of the text, or a part of a cell's line.
    private mutating func endLine() {
        if let row = rows.indices.last, let cell = rows[row].indices.last {
            if let last = rows[row][cell].last, !last.isWhitespace { rows[row][cell] += " " }
        } else if !text.isEmpty, text.last != "\n" {
            text += "\n"
        }
    }

    private mutating func endRow() {
        guard let cells = rows.popLast() else { return }
        let line = cells.map(\.trimmed).joined(separator: "\t")
        guard cells.contains(where: { !$0.isEmpty }) else { return }
        endLine()
        append(line)
        endLine()
    }
}

extension String {
    fileprivate var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}
