import Configuration
import Foundation

/// Everything that is wrong with the settings, at once. Names keys and reasons, never values of secrets.
package struct SettingsError: Error, Sendable, CustomStringConvertible {
    /// One sentence a problem, in the order the keys were read.
    package let problems: [String]

    package var description: String {
        "The settings are not right:\n" + problems.map { "  - \($0)" }.joined(separator: "\n")
    }
}

/// Reads settings: the environment first, then a `.env` file. Problems are collected, so that `finish` can tell all of
/// them together; until then a wrong setting has a value of no meaning. An empty value counts as not set.
///
/// ```swift
/// var reader = SettingsReader()
/// let settings = AuthSettings(&reader)
/// try reader.finish()
/// ```
package struct SettingsReader {
    private let values: ConfigReader
    /// The keys that were asked for, in order: what `.env.example` must name.
    package private(set) var keysRead: [String] = []
    /// What was found wrong so far.
    package private(set) var problems: [String] = []

    /// Over the environment of the process and `.env` in its working directory, if there is one.
    package init(environmentFile: String = ".env") {
        var variables: [String: String] = [:]
        do {
            variables = try EnvironmentFile.variables(atPath: environmentFile)
        } catch {
            let reason = error is EnvironmentFile.NotUTF8 ? "is not a text in UTF-8" : "cannot be read"
            problems.append("the file \(environmentFile) \(reason)")
        }
        let file = EnvironmentVariablesProvider(environmentVariables: variables, secretsSpecifier: .all)
        // A blank variable counts as not set, so it must not hide what the file says.
        let environment = EnvironmentVariablesProvider(
            environmentVariables: ProcessInfo.processInfo.environment.filter { !$0.value.allSatisfy(\.isWhitespace) },
            secretsSpecifier: .all)
        values = ConfigReader(providers: [environment, file])
    }

    /// Over given values only: for tests.
    package init(values: [String: String]) {
        self.values = ConfigReader(
            provider: EnvironmentVariablesProvider(environmentVariables: values, secretsSpecifier: .all)
        )
    }

    /// Notes a problem of a rule that this reader does not know.
    package mutating func report(_ key: String, _ reason: String) {
        problems.append("\(key) \(reason)")
    }

    /// Throws all problems together, if there are any.
    package func finish() throws(SettingsError) {
        guard problems.isEmpty else { throw SettingsError(problems: problems) }
    }

    // MARK: Reading

    /// The value of a key; nil when it is not set.
    package mutating func optional(_ key: String) -> String? {
        if !keysRead.contains(key) { keysRead.append(key) }
        guard let text = values.string(forKey: ConfigKey([key]), isSecret: true) else { return nil }
        let trimmed = Self.unquoted(text[...].trimmedBlanks)
        return trimmed.isEmpty ? nil : String(trimmed)
    }

    /// The value of a key, or its default.
    package mutating func string(_ key: String, default fallback: String) -> String {
        optional(key) ?? fallback
    }

    /// The value of a key that must be set.
    package mutating func required(_ key: String) -> String {
        if let value = optional(key) { return value }
        report(key, "is required")
        return ""
    }

    /// A value that must not be printed; nil when it is not set.
    package mutating func optionalSecret(_ key: String) -> Secret? { optional(key).map(Secret.init) }

    /// A value that must be set and must not be printed.
    package mutating func secret(_ key: String) -> Secret { Secret(required(key)) }

    /// A whole number within `range`, or the default.
    package mutating func int(_ key: String, default fallback: Int, in range: ClosedRange<Int>) -> Int {
        guard let text = optional(key) else { return fallback }
        if let value = Int(text), range.contains(value) { return value }
        report(key, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        return fallback
    }

    /// One of the raw values of an enumeration.
    package mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, default fallback: Choice
    ) -> Choice where Choice.RawValue == String {
        guard let text = optional(key) else { return fallback }
        if let choice = Choice(rawValue: text.lowercased()) { return choice }
        report(key, "must be one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
        return fallback
    }

    /// A list, comma-separated; blanks around elements do not count.
    package mutating func list(_ key: String, default fallback: [String]) -> [String] {
        guard let text = optional(key) else { return fallback }
        return text.split(separator: ",").map { String($0.trimmedBlanks) }.filter { !$0.isEmpty }
    }

    /// As shells and other readers of `.env` do: one pair of quotation marks around the whole value is not part of it.
    private static func unquoted(_ text: Substring) -> Substring {
        guard text.count >= 2, let quote = text.first, quote == "\"" || quote == "'", text.last == quote else {
            return text
        }
        return text.dropFirst().dropLast()
    }
}
