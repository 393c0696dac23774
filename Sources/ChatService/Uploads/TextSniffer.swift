/// Tells plain text from everything else by its leading bytes.
enum TextSniffer {
    static let utf8Mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Whether the bytes are text in UTF-8, UTF-16 with a byte order mark, or an eight-bit encoding such as
    /// Windows-1251, without control characters, and not a program or document written in text.
    static func isText(_ head: [UInt8]) -> Bool {
        guard let units = units(of: head), !units.isEmpty else { return false }
        return !units.contains(where: isControl) && !isProgramOrMarkup(units)
    }

    static func isSpace(_ byte: UInt8) -> Bool { (9...13).contains(byte) || byte == 32 }

    /// The code units of the text, without its mark. Nil for what no text is: UTF-32, and UTF-16 cut in a unit.
    private static func units(of head: [UInt8]) -> [UInt16]? {
        if head.starts(with: utf8Mark) { return head.dropFirst(3).map(UInt16.init) }
        let isLittle = head.starts(with: [0xFF, 0xFE])
        guard isLittle || head.starts(with: [0xFE, 0xFF]) else { return head.map(UInt16.init) }
        if head.starts(with: [0xFF, 0xFE, 0, 0]) { return nil }
        return stride(from: 2, to: head.count - 1, by: 2).map { index in
            let (first, second) = (UInt16(head[index]), UInt16(head[index + 1]))
            return isLittle ? second << 8 | first : first << 8 | second
        }
    }

    /// C0 controls other than tab, line feed, form feed and carriage return; DEL.
    private static func isControl(_ unit: UInt16) -> Bool {
        (unit < 32 && ![9, 10, 12, 13].contains(unit)) || unit == 127
    }

    /// Beginnings, in lower case, of files that are text only to the eye.
    private static let refused = [
        "<?xml", "<?php", "<svg", "<!doctype", "<html", "<head", "<body", "<script", "{\\rtf", "%!ps", "#!",
    ]

    /// White space and further byte order marks.
    private static func isBlank(_ character: Character) -> Bool { character.isWhitespace || character == "\u{FEFF}" }

    private static func isProgramOrMarkup(_ units: [UInt16]) -> Bool {
        var text = String(decoding: units.prefix(2048), as: UTF16.self).lowercased()[...]
        text = text.drop(while: isBlank)
        while text.hasPrefix("<!--"), let end = text.firstRange(of: "-->") {
            text = text[end.upperBound...].drop(while: isBlank)
        }
        return refused.contains { text.hasPrefix($0) }
    }
}
