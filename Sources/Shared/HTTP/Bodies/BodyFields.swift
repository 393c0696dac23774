package import NIOCore

/// The members of a request body, read one after the other; what is wrong with them is collected and told at once.
///
/// ```swift
/// var fields = try await request.bodyFields(context)
/// let email = fields.string("email")
/// let password = fields.string("password")
/// try fields.finish()
/// ```
package struct BodyFields: Sendable {
    private enum Source: Sendable {
        case json(JSONObject)
        case form([String: String])
    }

    private let source: Source
    /// What was found wrong so far.
    package private(set) var errors: [Problem.FieldError] = []

    /// Reads a JSON object: 400 `invalid_json` when it is no JSON, 400 `invalid_body` when it is no object.
    package init(json bytes: ByteBuffer) throws {
        let document: JSONValue
        do throws(JSONParser.Failure) {
            document = try JSONParser.parse(bytes)
        } catch {
            throw Problem(.invalidJSON, cause: "\(error.reason.rawValue) at byte \(error.offset)")
        }
        guard case .object(let object) = document else {
            throw Problem(.invalidBody, detail: "The body must be a JSON object.")
        }
        source = .json(object)
    }

    /// Reads `application/x-www-form-urlencoded` pairs.
    package init(form bytes: ByteBuffer) throws {
        source = .form(try FormPairs.parse(bytes))
    }

    /// The fields of a form that was read elsewhere (multipart). Text with NUL must have been refused.
    package init(form fields: [String: String]) {
        source = .form(fields)
    }

    // MARK: Required members. Each gives a value of no meaning when the member is wrong; `finish` throws then.

    /// A member that must be there and be a string; the empty one counts.
    package mutating func string(_ field: String) -> String {
        switch read(field) {
        case .string(let text): return text
        case .missing: report(field, "is required")
        case .json: report(field, "must be a string")
        }
        return ""
    }

    /// A member that must be there and be a 64-bit integer; in a form, its decimal text.
    package mutating func int(_ field: String) -> Int {
        if let value = integer(field) { return value }
        if isMissing(field) { report(field, "is required") }
        return 0
    }

    // MARK: Optional members: nil when they are not there or null.

    /// A member that may be missing or null, else must be a string.
    package mutating func optionalString(_ field: String) -> String? {
        switch read(field) {
        case .string(let text): return text
        case .missing: return nil
        case .json:
            report(field, "must be a string")
            return nil
        }
    }

    /// A member that may be missing or null, else must be a 64-bit integer.
    package mutating func optionalInt(_ field: String) -> Int? { integer(field) }

    /// Whether the body names the member at all, null included: for PATCH, where null may mean "clear".
    package func has(_ field: String) -> Bool {
        switch source {
        case .json(let object): object[field] != nil
        case .form(let fields): fields[field] != nil
        }
    }

    /// Adds an error of the caller's own rules that is about readability (400), not about acceptance (422).
    package mutating func report(_ field: String, _ detail: String) {
        errors.append(.init(field, detail))
    }

    /// Throws 400 `invalid_body` with all errors at once, if there are any.
    package func finish() throws {
        guard errors.isEmpty else { throw Problem(.invalidBody, errors: errors) }
    }

    // MARK: Reading

    private enum Reading {
        case missing
        case string(String)
        case json(JSONValue)
    }

    private func read(_ field: String) -> Reading {
        switch source {
        case .form(let fields): return fields[field].map(Reading.string) ?? .missing
        case .json(let object):
            guard let value = object[field], value != .null else { return .missing }
            if case .string(let text) = value { return .string(text) }
            return .json(value)
        }
    }

    private func isMissing(_ field: String) -> Bool {
        if case .missing = read(field) { return true }
        return false
    }

    private mutating func integer(_ field: String) -> Int? {
        switch (read(field), source) {
        case (.missing, _): return nil
        case (.json(let value), _): if let value = value.asInt { return value }
        // A number is written in one way: Swift would take a plus sign, too.
        case (.string(let text), .form) where text.first != "+": if let value = Int(text) { return value }
        case (.string, _): break
        }
        report(field, "must be a 64-bit integer")
        return nil
    }
}
