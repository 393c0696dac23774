import FoundationEssentials

/// A field of business with the system prompt that suits it.
package struct Domain: Sendable, Equatable {
    /// What requests name it by; the contract's list, in its order.
    package enum ID: String, Sendable, CaseIterable {
        case legal, marketing, finance, sales, management, hr, general
    }

    package let id: ID
    package let prompts: [PromptLanguage: String]

    /// The name shown to users.
    package var title: String {
        switch id {
        case .legal: "Legal"
        case .marketing: "Marketing"
        case .finance: "Finance"
        case .sales: "Sales"
        case .management: "Management"
        case .hr: "Human resources"
        case .general: "General"
        }
    }
}

/// The seven domains with their system prompts, built into the binary or read from a directory.
package struct Domains: Sendable, Equatable {
    /// All domains in the contract's order.
    package let all: [Domain]

    /// The prompts of `deploy/prompts`, as they were when the binary was built.
    package static let embedded = Domains { id, language in
        // The generated table is checked by a test: every combination is there and none is empty.
        String(decoding: embeddedPrompts[fileName(id, language)] ?? [], as: UTF8.self)
    }

    /// The prompts in a directory: a file `<domain>.<language>.md` for each of seven domains and two languages.
    ///
    /// - Throws: `DomainsError` naming every file that is missing, empty, too long, not UTF-8 or of no domain.
    package init(directory: String) throws(DomainsError) {
        var problems: [String] = []
        let domains = Domains { id, language in
            let name = Self.fileName(id, language)
            do throws(PromptFileProblem) {
                return try Self.readPrompt("\(directory)/\(name)")
            } catch {
                problems.append("\(name) \(error.sentence)")
                return ""
            }
        }
        problems += Self.strangers(in: directory).map { "\($0) belongs to no domain" }
        guard problems.isEmpty else { throw DomainsError(directory: directory, problems: problems) }
        self = domains
    }

    /// The domain that a request names; nil when there is none of that name.
    package subscript(id: String) -> Domain? {
        all.first { $0.id.rawValue == id }
    }

    /// Where an unnamed domain leads.
    package var general: Domain { all[all.count - 1] }

    /// The longest prompt file in bytes: it goes in front of every question.
    package static let promptBytesMax = 32 * 1024

    static func fileName(_ id: Domain.ID, _ language: PromptLanguage) -> String {
        "\(id.rawValue).\(language.rawValue).md"
    }

    private init(prompt: (Domain.ID, PromptLanguage) -> String) {
        all = Domain.ID.allCases.map { id in
            let prompts = PromptLanguage.allCases.map { ($0, prompt(id, $0).trimmed) }
            return Domain(id: id, prompts: Dictionary(uniqueKeysWithValues: prompts))
        }
    }

    private static func readPrompt(_ path: String) throws(PromptFileProblem) -> String {
        guard let data = FileManager.default.contents(atPath: path) else { throw .unreadable }
        guard data.count <= promptBytesMax else { throw .tooLong }
        guard let text = String(validating: data, as: UTF8.self), !text.contains("\0") else { throw .notText }
        guard !text.trimmed.isEmpty else { throw .empty }
        return text
    }

    /// Files that look like prompts but are read by nobody: a misspelt name would otherwise go unnoticed.
    private static func strangers(in directory: String) -> [String] {
        let known = Set(Domain.ID.allCases.flatMap { id in PromptLanguage.allCases.map { fileName(id, $0) } })
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix(".md") && $0.split(separator: ".").count == 3 && !known.contains($0) }
            .sorted()
    }
}

/// A directory of prompts that cannot be used, with every reason.
package struct DomainsError: Error, Equatable, CustomStringConvertible {
    package let directory: String
    package let problems: [String]

    package var description: String {
        "the prompts in \(directory) cannot be used: \(problems.joined(separator: "; "))"
    }
}

/// What is wrong with one prompt file.
private enum PromptFileProblem: Error {
    case unreadable, tooLong, notText, empty

    var sentence: String {
        switch self {
        case .unreadable: "is missing or cannot be read"
        case .tooLong: "is longer than \(Domains.promptBytesMax) bytes"
        case .notText: "is not UTF-8 text"
        case .empty: "is empty"
        }
    }
}

extension String {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
