import NIOCore

/// All series of one name.
struct MetricFamily {
    /// The types of the exposition format that are used here.
    enum Kind: String {
        case counter, gauge, histogram
    }

    /// One set of labels and its values.
    struct Series {
        /// As they stand in the exposition, without braces.
        let labels: String
        let values: any MetricSeries
    }

    let name: String
    let kind: Kind
    var series: [Series] = []

    init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }

    mutating func series(
        labels dimensions: [(String, String)], seriesMax: Int, make: () -> any MetricSeries
    ) -> any MetricSeries {
        var labels = Self.labels(dimensions)
        if let known = series.first(where: { $0.labels == labels }) { return known.values }
        if series.count >= seriesMax { labels = #"overflow="true""# }
        if let known = series.first(where: { $0.labels == labels }) { return known.values }
        let made = make()
        series.append(Series(labels: labels, values: made))
        return made
    }

    func write(into text: inout ByteBuffer) {
        guard !series.isEmpty else { return }
        text.writeString("# TYPE \(name) \(kind.rawValue)\n")
        for series in series { series.values.write(name: name, labels: series.labels, into: &text) }
    }

    /// A metric name may hold ASCII letters, digits, `_` and `:`.
    static func name(of label: String) -> String {
        let bytes = label.utf8.map { byte in isNameByte(byte) || byte == UInt8(ascii: ":") ? byte : UInt8(ascii: "_") }
        let name = String(decoding: bytes, as: UTF8.self)
        return bytes.first.map { (0x30...0x39).contains($0) } ?? true ? "_" + name : name
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
        default: false
        }
    }

    private static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.map { name, value in
            let name = String(decoding: name.utf8.map { isNameByte($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
            return "\(name)=\"\(escaped(value))\""
        }.sorted().joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": text += #"\\"#
            case "\"": text += #"\""#
            case "\n": text += #"\n"#
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }
}
