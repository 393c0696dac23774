import Testing

/// Words that say nothing about what a thing is, and leftovers that say something is not done.
enum NameRules {
    static let forbidden: Set = [
        "Util", "Utils", "Utility", "Utilities", "Helper", "Helpers", "Manager", "Common", "Base", "Misc", "Impl",
        "Controller",
        "Repository",
    ]

    /// Names of types, files and folders, cut at their capitals: "Database" is one word and not a "Base".
    static func emptyWords(_ file: SourceFile) -> [Complaint] {
        let names = declaredTypes(file).map(\.name) + file.path.split(separator: "/").map(String.init)
        return names.filter { !forbidden.isDisjoint(with: words($0)) }.map { Complaint(file, "the name \($0)") }
    }

    static func words(_ name: String) -> [String] {
        name.matches(of: #/[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+/#).map { String($0.output).capitalized }
    }

    /// Every type declared in a file, with its line, counted from 1, and its access level.
    static func declaredTypes(
        _ file: SourceFile
    ) -> [(name: String, line: Int, isPrivate: Bool, isNested: Bool)] {
        let lines = file.code.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.enumerated().compactMap { index, line in
            guard let match = line.firstMatch(of: #/^\s*([\w@()\s]*?)\b(struct|class|enum|actor|protocol)\s+(\w+)/#),
                match.3 != "func", match.3 != "var"
            else { return nil }
            return (String(match.3), index + 1, match.1.contains("private"), line.first == " ")
        }
    }

    /// The words are put together here so that this file does not complain about itself.
    static let leftovers = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "not " + "implemented"]
    static let switchedOff = [".dis" + "abled(", "XCT" + "Skip", ".ena" + "bled(if", "withKnown" + "Issue"]

    static func containing(_ words: [String], _ file: SourceFile) -> [Complaint] {
        file.lines.enumerated().flatMap { index, line in
            words.filter { contains(line, $0) }.map { Complaint(file, line: index + 1, $0) }
        }
    }

    /// True if `word` stands in the line and is no part of a longer one.
    private static func contains(_ line: Substring, _ word: String) -> Bool {
        line.ranges(of: word).contains { range in
            let before = line[..<range.lowerBound].last, after = line[range.upperBound...].first
            return before?.isLetter != true && (after?.isLetter != true || word.last?.isLetter != true)
        }
    }

    /// Folders that exist on one machine only.
    static func machinePaths(_ file: SourceFile) -> [Complaint] {
        let folders = ["work", "root", "Users", "home"].joined(separator: "|")
        guard let path = try? Regex("(^|[^A-Za-z0-9_.~}@-])/(\(folders))/[A-Za-z]") else {
            return [Complaint(file, "regex")]
        }
        return file.lines.enumerated().filter { $0.element.contains(path) }.map {
            Complaint(file, line: $0.offset + 1, "a path of one machine")
        }
    }
}

@Suite("Names and leftovers")
struct NameTests {
    @Test func noTypeFileOrFolderHasANameThatSaysNothing() {
        #expect(SourceTree.swiftFiles.flatMap(NameRules.emptyWords) == [])
    }

    @Test func nothingIsLeftOpen() {
        #expect(SourceTree.files.flatMap { NameRules.containing(NameRules.leftovers, $0) } == [])
    }

    @Test func noTestIsSwitchedOff() {
        #expect(SourceTree.swiftFiles.flatMap { NameRules.containing(NameRules.switchedOff, $0) } == [])
    }

    @Test func noPathOfOneMachineIsInTheTree() {
        #expect(SourceTree.files.flatMap(NameRules.machinePaths) == [])
    }

    @Test(arguments: [
        "struct FileManagerX {}", "enum StringUtils {}", "actor JobRepository {}", "final class UserBase {}",
    ])
    func anEmptyNameIsFound(_ text: String) {
        #expect(NameRules.emptyWords(SourceFile(path: "Sources/A.swift", text: text)).count == 1)
    }

    @Test(arguments: ["struct DatabaseSettings {}", "struct ImplicitGrant {}", "let baseURL = 1", "// struct Utils {}"])
    func aNameThatOnlyLooksLikeOneIsNot(_ text: String) {
        #expect(NameRules.emptyWords(SourceFile(path: "Sources/A.swift", text: text)) == [])
    }

    @Test func leftoversAndMachinePathsAreFound() {
        let text = "// " + "TO" + "DO: more\nlet a = \"/ro" + "ot/x\"\n@Test(.dis" + "abled(\"flaky\")) func b() {}\n"
        let file = SourceFile(path: "a.swift", text: text)
        #expect(NameRules.containing(NameRules.leftovers, file).map(\.line) == [1])
        #expect(NameRules.machinePaths(file).map(\.line) == [2])
        #expect(NameRules.containing(NameRules.switchedOff, file).map(\.line) == [3])
    }
}
