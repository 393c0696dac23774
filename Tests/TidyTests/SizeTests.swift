import Testing

/// How long files, functions and lines may get.
enum SizeRules {
    static let fileLinesMax = 300
    static let functionLinesMax = 70
    static let lineCharactersMax = 120

    static func longFile(_ file: SourceFile) -> [Complaint] {
        let count = file.lines.count - (file.text.hasSuffix("\n") ? 1 : 0)
        return count > fileLinesMax ? [Complaint(file, "\(count) lines, at most \(fileLinesMax)")] : []
    }

    static func longLines(_ file: SourceFile) -> [Complaint] {
        file.lines.enumerated().filter { $0.element.count > lineCharactersMax }.map {
            Complaint(file, line: $0.offset + 1, "\($0.element.count) characters, at most \(lineCharactersMax)")
        }
    }

    static func longFunctions(_ file: SourceFile) -> [Complaint] {
        let lines = file.code.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.indices.filter { lines[$0].contains(#/\b(func|init|deinit|subscript)\b.*/#) }.compactMap { first in
            guard let last = closingBrace(lines[first...]) else { return nil }
            let count = last - first + 1
            return count > functionLinesMax
                ? Complaint(file, line: first + 1, "a function of \(count) lines, at most \(functionLinesMax)") : nil
        }
    }

    /// The line on which the first brace opened from here on is closed; nil if the scope ends before one is opened.
    private static func closingBrace(_ lines: ArraySlice<Substring>) -> Int? {
        var depth = 0
        for (index, line) in zip(lines.indices, lines) {
            for character in line {
                if character == "{" { depth += 1 }
                if character == "}" {
                    depth -= 1
                    if depth <= 0 { return depth == 0 ? index : nil }
                }
            }
        }
        return nil
    }
}

@Suite("Sizes")
struct SizeTests {
    @Test func noSwiftFileIsLong() {
        #expect(SourceTree.swiftFiles.count > 10)
        #expect(SourceTree.swiftFiles.flatMap(SizeRules.longFile) == [])
    }

    @Test func noFunctionIsLong() {
        #expect(SourceTree.swiftFiles.flatMap(SizeRules.longFunctions) == [])
    }

    @Test func noLineIsLong() {
        let kinds = [".swift", ".sql", ".conf", ".template", ".bash", "/run", "/private-postgres", "/install-packages"]
        let files = SourceTree.files.filter { file in kinds.contains { file.path.hasSuffix($0) } }
        #expect(files.filter { $0.name != "problems.conf" }.flatMap(SizeRules.longLines) == [])
    }

    @Test func aFileOf301LinesIsFound() {
        let line = "let a = 1\n"
        #expect(SizeRules.longFile(SourceFile(path: "a", text: String(repeating: line, count: 300))).isEmpty)
        #expect(SizeRules.longFile(SourceFile(path: "a", text: String(repeating: line, count: 301))).count == 1)
    }

    @Test func aFunctionOf71LinesIsFoundWhateverItsStringsContain() {
        let body = String(repeating: "    print(\"} \\(f(\"}\")) \") // }\n", count: 69)
        let file = SourceFile(path: "a", text: "func a() {\n\(body)}\nfunc b() {}\n")
        #expect(SizeRules.longFunctions(file).map(\.line) == [1])
        #expect(SizeRules.longFunctions(SourceFile(path: "a", text: "func a() {\n\(body.dropFirst(40))}\n")).isEmpty)
    }

    @Test func aLineOf121CharactersIsFound() {
        let text = String(repeating: "x", count: 120) + "\n" + String(repeating: "é", count: 121)
        #expect(SizeRules.longLines(SourceFile(path: "a", text: text)).map(\.line) == [2])
    }
}
