/// A request with its whole body.
package struct HTTPClientRequest: Sendable {
    /// Such as `POST`.
    package var method: String
    /// An absolute `http` or `https` URL.
    package var url: String
    /// Sent in this order, after those that libcurl adds (`Host`, `Content-Length`).
    package var fields: [HTTPField] = []
    /// Nil sends no body.
    package var body: [UInt8]?

    package init(_ method: String, url: String, fields: [HTTPField] = [], body: [UInt8]? = nil) {
        (self.method, self.url, self.fields, self.body) = (method, url, fields, body)
    }

    /// True if no text contains a line break or NUL, so that no field can add another line.
    var isWellFormed: Bool {
        let texts = [method, url] + fields.flatMap { [$0.name, $0.value] }
        return !method.isEmpty && fields.allSatisfy { !$0.name.isEmpty && !$0.name.contains(":") }
            && texts.allSatisfy { text in !text.utf8.contains { [0, 10, 13].contains($0) } }
    }
}

/// A header field. Names are compared without regard to case (RFC 9110 section 5.1).
package struct HTTPField: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        (self.name, self.value) = (name, value)
    }

    /// Reads a line such as `Retry-After: 5`, without the line break. Returns nil for anything else.
    init?(line: Substring) {
        guard let colon = line.firstIndex(of: ":"), colon > line.startIndex, !line.hasPrefix(" ") else { return nil }
        let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        let end = value.lastIndex { $0 != " " && $0 != "\t" }.map { value.index(after: $0) } ?? value.startIndex
        self.init(String(line[..<colon]), String(value[..<end]))
    }

    /// The form that CURLOPT_HTTPHEADER(3) takes: a field without a value ends with a semicolon.
    var line: String { value.isEmpty ? "\(name);" : "\(name): \(value)" }

    func isNamed(_ other: String) -> Bool { name.lowercased() == other.lowercased() }
}
