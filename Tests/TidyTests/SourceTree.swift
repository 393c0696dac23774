import Foundation

/// A text file of this repository; `path` is relative to its root.
struct SourceFile: Sendable {
    let path: String
    let text: String
    /// The text without what stands in comments and string literals; see `SwiftText`. Empty for other languages.
    let code: String

    init(path: String, text: String) {
        self.path = path
        self.text = text
        code = path.contains(".") && !path.hasSuffix(".swift") ? "" : SwiftText.code(of: text)
    }

    var name: String { String(path.split(separator: "/").last ?? "") }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
}

/// A broken rule: where and what.
struct Complaint: Hashable, CustomStringConvertible {
    let path: String
    let line: Int?
    let text: String

    init(_ file: SourceFile, line: Int? = nil, _ text: String) {
        self.init(path: file.path, line: line, text)
    }

    init(path: String, line: Int? = nil, _ text: String) {
        self.path = path
        self.line = line
        self.text = text
    }

    var description: String { "\(path)\(line.map { ":\($0)" } ?? ""): \(text)" }
}

/// All files of the repository, read once.
enum SourceTree {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static let unread: Set = [".build", ".git", ".swiftpm", ".env", "Package.resolved"]
    private static let textual: Set = [
        "swift", "sql", "md", "txt", "json", "yaml", "yml", "service", "conf", "template", "h", "modulemap", "bash",
        "html",
        "css", "js", "lua", "example", "",
    ]

    /// Everything that people wrote; the fixtures are data.
    static let files: [SourceFile] = paths(below: "").filter { !$0.hasPrefix("Tests/Fixtures/") }.compactMap { path in
        guard textual.contains((path as NSString).pathExtension),
            let text = try? String(contentsOf: root.appending(path: path), encoding: .utf8)
        else { return nil }
        return SourceFile(path: path, text: text)
    }

    static let swiftFiles = files.filter { $0.path.hasSuffix(".swift") }
    static let sources = swiftFiles.filter { $0.path.hasPrefix("Sources/") }

    static func file(_ path: String) -> SourceFile? { files.first { $0.path == path } }

    private static func paths(below folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)) ?? []
        return names.sorted().filter { !unread.contains($0) }.flatMap { name in
            let path = folder.isEmpty ? name : folder + "/" + name
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: root.appending(path: path).path, isDirectory: &isFolder)
            return isFolder.boolValue ? paths(below: path) : [path]
        }
    }
}
