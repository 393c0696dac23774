package import Logging

/// One event as one line. A value can never start a line of its own: control characters are escaped in both formats.
package struct LogLine {
    /// The line with its line feed.
    package static func make(
        _ format: LogSettings.Format, level: Logger.Level, message: String, label: String,
        metadata: [Logger.Metadata], time: Timestamp
    ) -> [UInt8] {
        switch format {
        case .json: json(level: level, message: message, label: label, metadata: metadata, time: time)
        case .text: text(level: level, message: message, label: label, metadata: metadata, time: time)
        }
    }

    /// As above, from fields whose names and kinds are known.
    static func make(
        _ format: LogSettings.Format, level: Logger.Level, message: StaticString, label: String,
        fields: [(StaticString, Field)]
    ) -> [UInt8] {
        switch format {
        case .json:
            return json(level: level, message: "\(message)", label: label, time: .now) { json in
                for (name, value) in fields { json.member(name, value) }
            }
        case .text:
            var line = textHead(level: level, message: "\(message)", label: label, time: .now)
            for (name, value) in fields { line.appendField(name, value) }
            line.append(UInt8(ascii: "\n"))
            return line
        }
    }

    private static func json(
        level: Logger.Level, message: String, label: String, time: Timestamp, members: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 320)
        json.object { json in
            json.key("time")
            json.time(time)
            json.member("level", level.rawValue)
            json.member("logger", label)
            json.member("message", message)
            members(&json)
        }
        return json.bytes + [UInt8(ascii: "\n")]
    }

    private static func json(
        level: Logger.Level, message: String, label: String, metadata: [Logger.Metadata], time: Timestamp
    ) -> [UInt8] {
        json(level: level, message: message, label: label, time: time) { json in
            for (name, value) in ordered(metadata) {
                json.key(text: reserved.contains(name) ? "_" + name : name)
                json.value(value)
            }
        }
    }

    private static let reserved: Set<String> = ["time", "level", "logger", "message"]

    private static func textHead(level: Logger.Level, message: String, label: String, time: Timestamp) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        line.append(time)
        line.append(UInt8(ascii: " "))
        line.append(contentsOf: level.rawValue.utf8)
        line.append(UInt8(ascii: " "))
        line.append(contentsOf: label.utf8)
        line.append(": ")
        line.appendPrintable(message)
        return line
    }

    private static func text(
        level: Logger.Level, message: String, label: String, metadata: [Logger.Metadata], time: Timestamp
    ) -> [UInt8] {
        var line = textHead(level: level, message: message, label: label, time: time)
        for (name, value) in ordered(metadata) {
            line.append(UInt8(ascii: " "))
            line.appendPrintable(name)
            line.append(UInt8(ascii: "="))
            line.appendText(value.description)
        }
        line.append(UInt8(ascii: "\n"))
        return line
    }

    /// By name; what was given later wins. The server library's own request id is left out, it has none of our meaning.
    private static func ordered(_ metadata: [Logger.Metadata]) -> [(String, Logger.MetadataValue)] {
        var merged: Logger.Metadata = [:]
        for part in metadata { merged.merge(part) { _, later in later } }
        return merged.filter { $0.key != "hb.request.id" }.sorted { $0.key < $1.key }
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ name: StaticString, _ field: LogLine.Field) {
        key(name)
        switch field {
        case .text(let text): string(text)
        case .number(let number): int(number)
        case .thousandths(let number): raw { $0.appendThousandths(number) }
        }
    }

    fileprivate mutating func value(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): string(text)
        case .stringConvertible(let number as Int): int(number)
        case .stringConvertible(let value): string(value.description)
        case .array(let values): array { json in for value in values { json.value(value) } }
        case .dictionary(let members):
            object { json in
                for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                    json.key(text: name)
                    json.value(value)
                }
            }
        }
    }
}

extension [UInt8] {
    fileprivate mutating func appendField(_ name: StaticString, _ field: LogLine.Field) {
        append(UInt8(ascii: " "))
        append(name)
        append(UInt8(ascii: "="))
        switch field {
        case .text(let text): appendText(text)
        case .number(let number): appendDecimal(number)
        case .thousandths(let number): appendThousandths(number)
        }
    }

    fileprivate mutating func appendThousandths(_ number: Int) {
        let (whole, fraction) = Swift.max(0, number).quotientAndRemainder(dividingBy: 1000)
        appendDecimal(whole)
        append(UInt8(ascii: "."))
        appendDecimal(UInt(fraction), digits: 3)
    }

    /// Text in which no control character is left to break the line or to drive a terminal.
    fileprivate mutating func appendPrintable(_ text: String) {
        if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return append(contentsOf: text.utf8) }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": append(#"\n"#)
            case "\r": append(#"\r"#)
            case "\t": append(#"\t"#)
            case "\u{2028}", "\u{2029}", "\u{7F}"..."\u{9F}", "\0"..."\u{1F}":
                append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".utf8)
            default: append(contentsOf: String(scalar).utf8)
            }
        }
    }

    /// A value: bare when it is one word, else in quotation marks.
    fileprivate mutating func appendText(_ text: String) {
        let isWord = !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x3D }
        if isWord {
            append(contentsOf: text.utf8)
        } else {
            append(UInt8(ascii: "\""))
            appendPrintable(text.replacing("\"", with: "\\\""))
            append(UInt8(ascii: "\""))
        }
    }
}
