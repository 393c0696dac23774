import Foundation
import Testing

@testable import ChatService

@Suite("Domains")
struct LanguageModelDomainsTests {
    @Test func theSevenDomainsOfTheContractAreThereInItsOrder() {
        let ids = Domains.embedded.all.map(\.id.rawValue)
        #expect(ids == ["legal", "marketing", "finance", "sales", "management", "hr", "general"])
        #expect(Set(Domains.embedded.all.map(\.title)).count == 7)
        #expect(Domains.embedded.general.id == .general)
        #expect(Domains.embedded["astrology"] == nil)
        #expect(Domains.embedded["hr"]?.title == "Human resources")
    }

    @Test(arguments: Domain.ID.allCases, PromptLanguage.allCases)
    func everyEmbeddedPromptEqualsItsFile(id: Domain.ID, language: PromptLanguage) throws {
        let file = Self.promptsDirectory.appending(path: Domains.fileName(id, language))
        let text = try String(contentsOf: file, encoding: .utf8)
        let prompt = try #require(Domains.embedded[id.rawValue]?.prompts[language])
        #expect(prompt == text.trimmingCharacters(in: .whitespacesAndNewlines))
        #expect(prompt.count > 500)
        #expect(PromptLanguage(of: prompt) == language)
    }

    @Test func aDirectoryReplacesThePrompts() throws {
        try withCopyOfPrompts { directory in
            #expect(try Domains(directory: directory.path) == Domains.embedded)
            try Data("Speak like a pirate.\n".utf8).write(to: directory.appending(path: "legal.en.md"))
            let domains = try Domains(directory: directory.path)
            #expect(domains["legal"]?.prompts[.english] == "Speak like a pirate.")
            #expect(domains["legal"]?.prompts[.russian] == Domains.embedded["legal"]?.prompts[.russian])
        }
    }

    @Test func everyProblemOfADirectoryIsNamedAtOnce() throws {
        try withCopyOfPrompts { directory in
            try FileManager.default.removeItem(at: directory.appending(path: "legal.en.md"))
            try Data(" \n".utf8).write(to: directory.appending(path: "hr.ru.md"))
            try Data([0x41, 0xFF]).write(to: directory.appending(path: "sales.en.md"))
            let long = Data(repeating: 0x41, count: Domains.promptBytesMax + 1)
            try long.write(to: directory.appending(path: "finance.ru.md"))
            try Data("x".utf8).write(to: directory.appending(path: "finanse.en.md"))
            let error = #expect(throws: DomainsError.self) { try Domains(directory: directory.path) }
            #expect(
                error?.problems == [
                    "legal.en.md is missing or cannot be read", "finance.ru.md is longer than 32768 bytes",
                    "sales.en.md is not UTF-8 text", "hr.ru.md is empty", "finanse.en.md belongs to no domain",
                ])
        }
    }

    @Test func aMissingDirectoryNamesEveryFile() {
        let error = #expect(throws: DomainsError.self) { try Domains(directory: "/nonexistent/prompts") }
        #expect(error?.problems.count == 14)
    }

    private static let promptsDirectory = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "deploy/prompts")

    private func withCopyOfPrompts(_ body: (URL) throws -> Void) throws {
        let copy = FileManager.default.temporaryDirectory.appending(path: "prompts-\(UUID().uuidString)")
        try FileManager.default.copyItem(at: Self.promptsDirectory, to: copy)
        defer { try? FileManager.default.removeItem(at: copy) }
        try body(copy)
    }
}
