import Foundation
import Testing

/// Every type, and every function that others call, says what it is for.
enum DocumentationRules {
    static func undocumented(_ file: SourceFile) -> [Complaint] {
        let code = file.code.split(separator: "\n", omittingEmptySubsequences: false)
        let types = NameRules.declaredTypes(file).filter { !$0.isPrivate && $0.name != "CodingKeys" }.map {
            ($0.name, $0.line)
        }
        let functions = code.enumerated().compactMap { index, line in
            line.firstMatch(of: #/^\s*(?:@\w+\s+)*package\s+(?:\w+\s+)*func\s+([^\s(<]+)/#).map {
                (String($0.1), index + 1)
            }
        }
        return (types + functions.enumerated().filter { !isOverload($0.offset, functions) }.map(\.element))
            .filter { !documented(line: $0.1, in: file.lines) }
            .map { Complaint(file, line: $0.1, "\($0.0) has no documentation comment") }
    }

    /// The comment of a function stands for the overloads that follow it.
    private static func isOverload(_ index: Int, _ functions: [(String, Int)]) -> Bool {
        index > 0 && functions[index - 1].0 == functions[index].0
    }

    /// True if the line above, attributes and compiler conditions aside, is a documentation comment.
    private static func documented(line: Int, in lines: [Substring]) -> Bool {
        for above in lines[..<(line - 1)].reversed() {
            let text = above.trimmingCharacters(in: .whitespaces)
            if text.hasPrefix("@") || text.hasPrefix("#") { continue }
            return text.hasPrefix("///")
        }
        return false
    }
}

@Suite("Documentation")
struct DocumentationTests {
    @Test func everyTypeAndEveryPackageFunctionIsDocumented() {
        let files = SourceTree.swiftFiles.filter {
            $0.path.hasPrefix("Sources/") || $0.path.hasPrefix("Tests/TestSupport/")
        }
        #expect(files.flatMap(DocumentationRules.undocumented) == [])
    }

    @Test(arguments: [
        "struct A {}", "package func a() {}", "// A thing.\n@MainActor\nfinal class A {}", "/// A.\n\nenum B {}",
    ])
    func aMissingCommentIsFound(_ text: String) {
        #expect(DocumentationRules.undocumented(SourceFile(path: "a", text: text)).count == 1)
    }

    @Test(arguments: [
        "/// A.\nstruct A {}", "/// A.\n@Sendable\npackage static func a() {}", "private struct A {}",
        "let a = \"struct A {}\"",
    ])
    func whatIsDocumentedOrPrivateIsNot(_ text: String) {
        #expect(DocumentationRules.undocumented(SourceFile(path: "a", text: text)) == [])
    }

    @Test func theReadmeNamesTheTwoCommands() throws {
        let readme = try #require(SourceTree.file("README.md"))
        #expect(readme.text.contains("deploy/run"))
        #expect(readme.text.contains("Tests/run"))
    }

    @Test func whatHasAFirstLineForAShellMayBeRun() {
        let scripts = SourceTree.files.filter { $0.text.hasPrefix("#!") }
        #expect(scripts.count >= 5)
        let paths = scripts.map { SourceTree.root.appending(path: $0.path).path }
        #expect(paths.filter { !FileManager.default.isExecutableFile(atPath: $0) } == [])
    }

    @Test func ciRunsTheTestCommand() throws {
        #expect(try #require(SourceTree.file(".ci/run")).text.contains("Tests/run"))
    }
}
