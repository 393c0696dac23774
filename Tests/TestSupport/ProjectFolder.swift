package import Foundation

/// Where the sources and what was built from them lie.
package enum ProjectFolder {
    /// The root of the repository.
    package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The folder of the program that runs now: a test runner lies beside the services it was built with.
    package static let binaries = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent()
}

/// A folder below the system's temporary one, for one test; `remove` it.
package struct TemporaryFolder: Sendable {
    package let url: URL

    /// - Parameter sharedWithOthers: whether other users may pass through it, as PostgreSQL's must.
    package init(sharedWithOthers: Bool = false) throws {
        url = FileManager.default.temporaryDirectory.appending(path: "parley-" + UUID().uuidString.lowercased())
        let permissions = sharedWithOthers ? 0o711 : 0o700
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: permissions])
    }

    /// With everything in it.
    package func remove() { try? FileManager.default.removeItem(at: url) }
}
