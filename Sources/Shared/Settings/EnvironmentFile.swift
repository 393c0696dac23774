import Foundation

/// A `.env` file: a line `KEY=value` for each variable, with or without `export` before it; empty lines and lines that
/// begin with `#` say nothing. The last of several lines for one key counts.
///
/// Files come from every editor: lines may end as Windows ends them, and a byte order mark may stand before the first.
enum EnvironmentFile {
    /// The file is there and is no text in UTF-8.
    struct NotUTF8: Error {}

    /// The variables of a file; none when there is no such file.
    static func variables(atPath path: String) throws -> [String: String] {
        guard FileManager.default.fileExists(atPath: path) else { return [:] }
        return try variables(in: try Data(contentsOf: URL(filePath: path)))
    }

    /// The variables of a file's bytes.
    static func variables(in bytes: Data) throws(NotUTF8) -> [String: String] {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let content = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes
        guard let text = String(validating: content, as: UTF8.self), !text.utf8.contains(0) else { throw NotUTF8() }
        // By scalars: for a character-wise split "\r\n" is one character, and not a line feed.
        let lines = text.unicodeScalars.split { $0 == "\n" || $0 == "\r" }
        return Dictionary(lines.compactMap { variable(String($0)) }, uniquingKeysWith: { $1 })
    }

    private static func variable(_ line: String) -> (key: String, value: String)? {
        let pair = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(\.trimmedBlanks)
        guard pair.count == 2 else { return nil }
        let key = (pair[0].hasPrefix("export ") ? pair[0].dropFirst("export ".count) : pair[0]).trimmedBlanks
        return key.isEmpty || key.hasPrefix("#") ? nil : (String(key), String(pair[1]))
    }
}
