/// A header value with parameters, such as `form-data; name="file"` (RFC 9110 section 5.6.6), read the way browsers and
/// curl write it.
///
/// In a quoted string a backslash escapes only a quote and another backslash: old browsers put whole Windows paths
/// there without escaping. Parameter names are compared without case; one that is given twice makes the value
/// unreadable, because two readers could then see two different values.
struct HeaderParameters: Equatable, Sendable {
    /// What stands before the first semicolon, in lower case.
    let value: String
    private var parameters: [String: String] = [:]

    /// Nil if the text is malformed.
    init?(_ text: String) {
        var rest = Substring(text)
        value = Self.trim(rest.prefix { $0 != ";" }).lowercased()
        guard !value.isEmpty, !value.contains(where: { $0 == "\"" || $0 == "," }) else { return nil }
        rest = rest.drop { $0 != ";" }
        while !rest.isEmpty {
            guard let parameter = Self.takeParameter(from: &rest) else { return nil }
            guard let (name, value) = parameter else { continue }
            guard parameters.updateValue(value, forKey: name) == nil else { return nil }
        }
    }

    subscript(name: String) -> String? { parameters[name] }

    /// Takes `; name=value`; a lone semicolon yields `.some(nil)`, malformed text nil.
    private static func takeParameter(from rest: inout Substring) -> (name: String, value: String)?? {
        guard rest.first == ";" else { return nil }
        rest = rest.dropFirst().drop(while: isBlank)
        if rest.isEmpty || rest.first == ";" { return .some(nil) }
        let name = rest.prefix { $0 != "=" && $0 != ";" && $0 != "\"" }
        rest = rest.dropFirst(name.count)
        guard !trim(name).isEmpty, rest.first == "=" else { return nil }
        rest = rest.dropFirst().drop(while: isBlank)
        guard let value = rest.first == "\"" ? takeQuoted(from: &rest) : takeToken(from: &rest) else { return nil }
        return (trim(name).lowercased(), value)
    }

    private static func takeToken(from rest: inout Substring) -> String? {
        let token = rest.prefix { $0 != ";" }
        rest = rest.dropFirst(token.count)
        return token.isEmpty || token.contains("\"") ? nil : trim(token)
    }

    private static func takeQuoted(from rest: inout Substring) -> String? {
        var value = String.UnicodeScalarView()
        var scalars = rest.unicodeScalars.dropFirst()
        while let scalar = scalars.popFirst() {
            if scalar == "\"" {
                rest = Substring(scalars).drop(while: isBlank)
                return String(value)
            }
            if scalar == "\\", let next = scalars.first, next == "\"" || next == "\\" {
                value.append(scalars.removeFirst())
            } else {
                value.append(scalar)
            }
        }
        return nil
    }

    private static func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }

    private static func trim(_ text: Substring) -> String {
        let start = text.drop(while: isBlank)
        return String(start[..<(start.lastIndex { !isBlank($0) }.map(start.index(after:)) ?? start.startIndex)])
    }
}

/// An extended parameter value, `UTF-8''na%C3%AFve.txt` (RFC 8187).
enum ExtendedValue {
    /// The text, or nil if the value is malformed or in a character set other than the two that RFC 8187 and its
    /// predecessor name.
    static func decode(_ text: String) -> String? {
        let pieces = text.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        guard pieces.count == 3, let bytes = percentDecoded(pieces[2].utf8) else { return nil }
        switch pieces[0].lowercased() {
        case "utf-8": return String(validating: bytes, as: UTF8.self)
        case "iso-8859-1": return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
        default: return nil
        }
    }

    private static func percentDecoded(_ text: Substring.UTF8View) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit), let decoded = UInt8(digits, radix: 16) else {
                return nil
            }
            bytes.append(decoded)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
