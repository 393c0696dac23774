import Foundation

/// Text on its way out of the child.
struct PageText {
    private let raw: String

    init(_ raw: String) {
        self.raw = raw
    }

    /// Recognised text and text layers: composed (NFC), line feeds alone, no other control character than tab, no
    /// blank at the end of a line, at most one empty line in a row, none at the ends.
    var normalized: String {
        var lines: [Substring] = []
        let text = composed.unified
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let trimmed = line.withoutTrailingBlanks
            if trimmed.isEmpty, lines.last?.isEmpty ?? true { continue }
            lines.append(trimmed)
        }
        if lines.last?.isEmpty ?? false { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    /// Text files, as their author wrote them but for line ends, control characters and what trails at the end.
    var cleaned: String {
        String(unified.withoutTrailingLines)
    }

    private var composed: PageText {
        // Only what has combining marks can differ, and that is rare.
        let hasMarks = raw.unicodeScalars.contains { (0x300...0x36f).contains($0.value) }
        return hasMarks ? PageText(raw.precomposedStringWithCanonicalMapping) : self
    }

    /// CRLF and CR become LF, as do the separators of lines, paragraphs and pages; other controls go.
    private var unified: String {
        var unified = String.UnicodeScalarView()
        var afterReturn = false
        for scalar in raw.unicodeScalars {
            defer { afterReturn = scalar == "\r" }
            switch scalar.value {
            case 0x0a where afterReturn: continue
            case 0x0a, 0x0d, 0x0c, 0x0b, 0x85, 0x2028, 0x2029: unified.append("\n")
            case 0x09: unified.append(scalar)
            case 0x00..<0x20, 0x7f..<0xa0, 0xfeff, 0xfffe, 0xffff: continue
            default: unified.append(scalar)
            }
        }
        return String(unified)
    }
}

extension Substring {
    fileprivate var withoutTrailingBlanks: Substring {
        guard let last = unicodeScalars.lastIndex(where: { $0 != " " && $0 != "\t" && $0 != "\u{a0}" }) else {
            return self[startIndex..<startIndex]
        }
        return self[startIndex..<unicodeScalars.index(after: last)]
    }
}

extension String {
    fileprivate var withoutTrailingLines: Substring {
        guard let last = unicodeScalars.lastIndex(where: { $0 != "\n" && $0 != " " && $0 != "\t" }) else { return "" }
        return self[startIndex..<unicodeScalars.index(after: last)]
    }
}
