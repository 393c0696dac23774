import Foundation
package import Logging
package import NIOCore

/// One event as one line. A value can never start a line of its own: control characters are escaped in both formats.
package struct LogLine {
    /// The line with its line feed.
    package static func make(
        _ format: LogSettings.Format, level: Logger.Level, message: String, label: String,
        metadata: [Logger.Metadata], time: Timespec
    ) -> ByteBuffer {
        switch format {
        case .json: json(level: level, message: message, label: label, metadata: metadata, time: time)
        case .text: text(level: level, message: message, label: label, metadata: metadata, time: time)
        }
    }

    /// Seconds and nanoseconds since 1970.
    package struct Timespec: Sendable {
        package var seconds: Int
        package var nanoseconds: Int

        package init(seconds: Int, nanoseconds: Int) {
            self.seconds = seconds
            self.nanoseconds = nanoseconds
        }

        static var now: Timespec {
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            return Timespec(seconds: now.tv_sec, nanoseconds: now.tv_nsec)
        }
    }

    /// As above, from fields whose names and kinds are known.
    static func make(
        _ format: LogSettings.Format, level: Logger.Level, message: StaticString, label: String,
        fields: [(StaticString, Field)]
    ) -> ByteBuffer {
        switch format {
        case .json:
            return json(level: level, message: "\(message)", label: label, time: .now) { json in
                for (name, value) in fields { json.member(name, value) }
            }
        case .text:
            var line = textHead(level: level, message: "\(message)", label: label, time: .now)
            for (name, value) in fields { line.writeField(name, value) }
            line.writeInteger(UInt8(ascii: "\n"))
            return line
        }
    }

    private static func json(
        level: Logger.Level, message: String, label: String, time: Timespec, members: (inout JSONWriter) -> Void
    ) -> ByteBuffer {
        var json = JSONWriter(capacity: 320)
        json.object { json in
            json.key("time")
            json.raw { buffer in
                buffer.writeInteger(UInt8(ascii: "\""))
                buffer.writeTime(time)
                buffer.writeInteger(UInt8(ascii: "\""))
            }
            json.member("level", level.rawValue)
            json.member("logger", label)
            json.member("message", message)
            members(&json)
        }
        var line = json.buffer
        line.writeInteger(UInt8(ascii: "\n"))
        return line
    }

    private static func json(
        level: Logger.Level, message: String, label: String, metadata: [Logger.Metadata], time: Timespec
    ) -> ByteBuffer {
        json(level: level, message: message, label: label, time: time) { json in
            for (name, value) in ordered(metadata) {
                json.key(text: reserved.contains(name) ? "_" + name : name)
                json.value(value)
            }
        }
    }

    private static let reserved: Set<String> = ["time", "level", "logger", "message"]

    private static func textHead(level: Logger.Level, message: String, label: String, time: Timespec) -> ByteBuffer {
        var line = ByteBufferAllocator().buffer(capacity: 256)
        line.writeTime(time)
        line.writeInteger(UInt8(ascii: " "))
        line.writeString(level.rawValue)
        line.writeInteger(UInt8(ascii: " "))
        line.writeString(label)
        line.writeStaticString(": ")
        line.writePrintable(message)
        return line
    }

    private static func text(
        level: Logger.Level, message: String, label: String, metadata: [Logger.Metadata], time: Timespec
    ) -> ByteBuffer {
        var line = textHead(level: level, message: message, label: label, time: time)
        for (name, value) in ordered(metadata) {
            line.writeInteger(UInt8(ascii: " "))
            line.writePrintable(name)
            line.writeInteger(UInt8(ascii: "="))
            line.writeText(value.description)
        }
        line.writeInteger(UInt8(ascii: "\n"))
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
        case .thousandths(let number): raw { $0.writeThousandths(number) }
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

extension ByteBuffer {
    /// RFC 3339, UTC, microseconds, `Z`.
    fileprivate mutating func writeTime(_ time: LogLine.Timespec) {
        var seconds = time_t(time.seconds)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        writePadded(Int(parts.tm_year) + 1900, 4, then: "-")
        writePadded(Int(parts.tm_mon) + 1, 2, then: "-")
        writePadded(Int(parts.tm_mday), 2, then: "T")
        writePadded(Int(parts.tm_hour), 2, then: ":")
        writePadded(Int(parts.tm_min), 2, then: ":")
        writePadded(Int(parts.tm_sec), 2, then: ".")
        writePadded(time.nanoseconds / 1000, 6, then: "Z")
    }

    private mutating func writePadded(_ value: Int, _ digits: Int, then separator: StaticString) {
        var bound = 1
        for _ in 1..<digits { bound *= 10 }
        while bound > 1, value < bound {
            writeInteger(UInt8(ascii: "0"))
            bound /= 10
        }
        writeDecimal(value)
        writeStaticString(separator)
    }

    fileprivate mutating func writeField(_ name: StaticString, _ field: LogLine.Field) {
        writeInteger(UInt8(ascii: " "))
        writeStaticString(name)
        writeInteger(UInt8(ascii: "="))
        switch field {
        case .text(let text): writeText(text)
        case .number(let number): writeDecimal(number)
        case .thousandths(let number): writeThousandths(number)
        }
    }

    fileprivate mutating func writeThousandths(_ number: Int) {
        let (whole, fraction) = max(0, number).quotientAndRemainder(dividingBy: 1000)
        writeDecimal(whole)
        writeInteger(UInt8(ascii: "."))
        writePadded(fraction, 3, then: "")
    }

    /// Text in which no control character is left to break the line or to drive a terminal.
    fileprivate mutating func writePrintable(_ text: String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": writeStaticString(#"\n"#)
            case "\r": writeStaticString(#"\r"#)
            case "\t": writeStaticString(#"\t"#)
            case "\u{2028}", "\u{2029}", "\u{7F}"..."\u{9F}", "\0"..."\u{1F}":
                writeString("\\u{" + String(scalar.value, radix: 16) + "}")
            default: writeString(String(scalar))
            }
        }
    }

    /// A value: bare when it is one word, else in quotation marks.
    fileprivate mutating func writeText(_ text: String) {
        let isWord = !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x3D }
        if isWord {
            writeString(text)
        } else {
            writeInteger(UInt8(ascii: "\""))
            writePrintable(text.replacing("\"", with: "\\\""))
            writeInteger(UInt8(ascii: "\""))
        }
    }
}
