/// A JSON document in memory, as `JSONParser` reads it and `JSONWriter` writes it.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number as it was written: nothing is rounded before somebody says what it is to be.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// An integer as a JSON number.
    package static func int(_ value: Int) -> JSONValue { .number(String(value)) }

    /// The value as an integer: only a number written without fraction and exponent, within 64 bits.
    package var asInt: Int? {
        guard case .number(let text) = self else { return nil }
        return Int(text)
    }

    package var asString: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }
}

/// The members of a JSON object, in the order they were written, without duplicates.
package struct JSONObject: Sendable, Equatable {
    /// One name and its value.
    package struct Member: Sendable, Equatable {
        package let name: String
        package let value: JSONValue
    }

    package let members: [Member]

    package init(members: [Member] = []) {
        self.members = members
    }

    /// The value of a member. Names are compared byte for byte (RFC 8259, section 8.3), not by Unicode equivalence:
    /// for Swift the Kelvin sign is a "K".
    package subscript(name: String) -> JSONValue? {
        members.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }
}
