package import Foundation

/// A file of Tests/Fixtures.
package struct Fixture: Sendable {
    /// Its path below Tests/Fixtures.
    package let path: String

    package init(_ path: String) { self.path = path }

    package var name: String { String(path.split(separator: "/").last ?? "") }
    package var bytes: Data { get throws { try Data(contentsOf: Self.root.appending(path: path)) } }

    /// The true text of a document, as `path.gt.txt` holds it.
    package var trueText: String {
        get throws { try String(contentsOf: Self.root.appending(path: path + ".gt.txt"), encoding: .utf8) }
    }

    /// The documents with known text.
    package static let documents: [Fixture] = files(in: "documents").filter {
        !$0.name.hasSuffix(".gt.txt") && $0.name != "README.md"
    }

    /// The files that mean harm.
    package static let hostile: [Fixture] = files(in: "hostile").filter {
        $0.name != "README.md" && $0.name != "manifest.json"
    }

    private static let root = ProjectFolder.root.appending(path: "Tests/Fixtures")

    private static func files(in folder: String) -> [Fixture] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)) ?? []
        return names.sorted().map { Fixture("\(folder)/\($0)") }
    }
}
