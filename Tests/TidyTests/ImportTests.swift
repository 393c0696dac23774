import RegexBuilder
import Testing

/// Which folder may know what: the walls of the house, as in ARCHITECTURE.md.
enum ImportRules {
    /// A module, and the files of Sources that may import it.
    static let table: [(modules: Set<String>, allowed: @Sendable (SourceFile) -> Bool)] = [
        (["CPostgres"], { $0.path.hasPrefix("Sources/Shared/Postgres/") }),
        (["CTesseract", "CLeptonica", "CZip", "CXML"], { $0.path.hasPrefix("Sources/ChatService/Recognition/") }),
        (["CCurl"], { $0.name == "SMTPClient.swift" || $0.path.hasPrefix("Sources/CurlHTTP/") }),
        (["CSodium"], { $0.name.hasPrefix("PasswordHasher") }),
        (["Hummingbird", "HummingbirdCore"], speaksHTTP),
        (["COpenSSL"], { $0.path.hasPrefix("Sources/Shared/Crypto/") }),
        (["CurlHTTP"], { $0.path.hasPrefix("Sources/ChatService/LanguageModel/") || isWiring($0) }),
        (["AuthService", "ChatService"], { _ in false }),
    ]

    /// Beside routes: what reads a request or writes an answer for several of them.
    private static let requestFiles: Set = [
        "UploadReader.swift", "PageQuery.swift", "EventStreamWriter.swift", "QuestionExchange.swift",
    ]

    private static func speaksHTTP(_ file: SourceFile) -> Bool {
        file.path.hasPrefix("Sources/Shared/HTTP/") || file.name.hasSuffix("Routes.swift") || isWiring(file)
            || requestFiles.contains(file.name)
    }

    private static func isWiring(_ file: SourceFile) -> Bool { file.name.hasSuffix("Application.swift") }

    static func imports(_ file: SourceFile) -> [(module: String, line: Int)] {
        file.code.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
            let access = #/(?:public|package|internal|private|fileprivate)\s+/#
            let kind = #/(?:struct|class|enum|protocol|func|typealias)\s+/#
            let pattern = Regex {
                #/^\s*(?:@\w+(?:\(\w+\))?\s+)*/#
                Optionally { access }
                #/import\s+/#
                Optionally { kind }
                Capture { #/\w+/# }
            }
            return line.firstMatch(of: pattern).map { (String($0.output.1), index + 1) }
        }
    }

    static func wrongImports(_ file: SourceFile) -> [Complaint] {
        imports(file).flatMap { module, line in
            table.filter { $0.modules.contains(module) && !$0.allowed(file) }.map { _ in
                Complaint(file, line: line, "may not import \(module)")
            }
        }
    }

    /// Words of `file` that are among `names`.
    static func mentions(_ names: Set<String>, _ file: SourceFile) -> [Complaint] {
        let words = Set(file.code.matches(of: #/\b[A-Z]\w+/#).map { String($0.output) })
        return words.intersection(names).sorted().map { Complaint(file, "mentions \($0)") }
    }

    /// Types at the top of the files of a folder; a nested one is known by the name of the outer one.
    static func types(in folder: String, of files: [SourceFile]) -> Set<String> {
        let types = files.filter { $0.path.hasPrefix(folder) }.flatMap(NameRules.declaredTypes)
        return Set(types.filter { !$0.isNested }.map(\.name))
    }
}

@Suite("Who may know what")
struct ImportTests {
    @Test func importsKeepToTheTable() {
        #expect(SourceTree.sources.flatMap(ImportRules.wrongImports) == [])
    }

    /// Routes hand work to rows and doorbells. Only the list of domains is data that a route shows.
    @Test func routesTouchNeitherRecognitionNorTheModel() {
        var engines = ImportRules.types(in: "Sources/ChatService/Recognition/", of: SourceTree.sources)
        engines.formUnion(ImportRules.types(in: "Sources/ChatService/LanguageModel/", of: SourceTree.sources))
        engines.subtract(["Domain", "Domains"])
        let routes = SourceTree.sources.filter {
            $0.path.hasPrefix("Sources/ChatService/") && $0.name.hasSuffix("Routes.swift")
        }
        #expect(routes.flatMap { ImportRules.mentions(engines, $0) } == [])
    }

    @Test func recognitionKnowsNeitherPostgresNorHTTP() {
        var others = ImportRules.types(in: "Sources/Shared/Postgres/", of: SourceTree.sources)
        others.formUnion(ImportRules.types(in: "Sources/Shared/HTTP/", of: SourceTree.sources))
        let files = SourceTree.sources.filter { $0.path.hasPrefix("Sources/ChatService/Recognition/") }
        #expect(files.flatMap { ImportRules.mentions(others, $0) } == [])
    }

    @Test(arguments: [
        ("Sources/ChatService/Jobs/JobQueries.swift", "import Hummingbird"),
        ("Sources/ChatService/Jobs/JobPool.swift", "package import CPostgres"),
        ("Sources/Shared/HTTP/Frame.swift", "@preconcurrency import CTesseract"),
        ("Sources/AuthService/AccountRoutes.swift", "import CSodium"),
        ("Sources/Shared/HTTP/Token/AccessToken.swift", "import COpenSSL"),
        ("Sources/AuthService/Main.swift", "import struct ChatService.Thing"),
    ])
    func aWrongImportIsFound(_ path: String, _ line: String) {
        #expect(ImportRules.wrongImports(SourceFile(path: path, text: line)).count == 1)
    }

    @Test func aRightImportIsNot() {
        let text = "import CPostgres\n// import Hummingbird\nlet a = \"\"\"\nimport CSodium\n\"\"\"\n"
        #expect(ImportRules.wrongImports(SourceFile(path: "Sources/Shared/Postgres/Link.swift", text: text)) == [])
    }

    @Test func aTypeIsFoundInCodeAndNotInAComment() {
        let file = SourceFile(path: "ARoutes.swift", text: "// Engine\nlet a = Engine.self, b = EngineRoom()\n")
        #expect(ImportRules.mentions(["Engine"], file).count == 1)
        #expect(ImportRules.mentions(["Room"], file) == [])
    }
}
