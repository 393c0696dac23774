/// What the headers of one form part say (RFC 7578 section 4). Headers of other names are allowed and skipped.
struct PartHeaders: Equatable, Sendable {
    /// The field's name.
    let name: String
    /// The file's name as sent, not yet cleaned (see `FileName`); nil for an ordinary field.
    let fileName: String?

    init(name: String, fileName: String?) {
        self.name = name
        self.fileName = fileName
    }

    /// - Parameters:
    ///   - block: the header lines, parted by CR LF, without the empty line.
    ///   - maximumCount: how many lines there may be.
    init(block: some Collection<UInt8>, maximumCount: Int) throws(MultipartFailure) {
        var disposition: String?
        for (count, line) in Self.lines(of: Array(block)).enumerated() {
            guard count < maximumCount else { throw .tooManyHeaders }
            guard let (name, value) = Self.header(in: line) else { throw .badHeaders }
            switch name {
            case "content-disposition":
                guard disposition == nil else { throw .badDisposition }
                disposition = value
            case "content-transfer-encoding":
                // Deprecated by RFC 7578 section 4.7; the identity encodings do no harm.
                guard ["binary", "7bit", "8bit"].contains(value.lowercased()) else { throw .transferEncoding }
            default: continue
            }
        }
        try self.init(disposition: disposition)
    }

    private init(disposition: String?) throws(MultipartFailure) {
        guard let disposition, let parsed = HeaderParameters(disposition), parsed.value == "form-data",
            let name = parsed["name"]
        else { throw .badDisposition }
        self.name = Self.unescapingFormEscapes(name)
        fileName =
            parsed["filename*"].flatMap(ExtendedValue.decode) ?? parsed["filename"].map(Self.unescapingFormEscapes)
    }

    private static func lines(of block: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        for index in block.indices.dropFirst() where block[index] == 10 && block[index - 1] == 13 {
            lines.append(block[start..<(index - 1)])
            start = index + 1
        }
        return lines + [block[start...]]
    }

    /// Parts `name: value`. Nil for a folded line, a name that is no token, and control characters, which include
    /// line ends that are not CR LF.
    private static func header(in line: ArraySlice<UInt8>) -> (name: String, value: String)? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else { return nil }
        guard
            line[..<colon].allSatisfy({ isASCIIAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") })
        else { return nil }
        let value = line[(colon + 1)...]
        guard value.allSatisfy({ ($0 >= 32 && $0 != 127) || $0 == 9 }) else { return nil }
        let blanks: (UInt8) -> Bool = { $0 == 32 || $0 == 9 }
        let start = value.firstIndex { !blanks($0) } ?? value.endIndex
        let end = value.lastIndex { !blanks($0) }.map { $0 + 1 } ?? start
        return (
            String(decoding: line[..<colon], as: UTF8.self).lowercased(),
            String(decoding: value[start..<end], as: UTF8.self)
        )
    }

    /// Undoes the three escapes that browsers write in names (WHATWG HTML, multipart/form-data encoding algorithm).
    private static func unescapingFormEscapes(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        return [("%22", "\""), ("%0D", "\r"), ("%0A", "\n")].reduce(text) { $0.replacing($1.0, with: $1.1) }
    }
}
