package import NIOCore

/// Writes one JSON document: for answers that are hot, and for problems.
///
/// The caller is trusted to write a document (a key before each value of an object); commas are put in here. Names
/// given as `StaticString` are written as they are and must need no escape.
package struct JSONWriter {
    /// What was written so far.
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// - Parameter capacity: bytes to reserve; more are taken when it was too little.
    package init(capacity: Int = 1024) {
        bytes.reserveCapacity(capacity)
    }

    /// What was written so far, as the body of an answer.
    package var buffer: ByteBuffer { ByteBuffer(bytes: bytes) }

    // MARK: Structure

    /// Writes an object; `body` writes its members.
    package mutating func object<Failure: Error>(_ body: (inout JSONWriter) throws(Failure) -> Void) throws(Failure) {
        open(UInt8(ascii: "{"))
        try body(&self)
        close(UInt8(ascii: "}"))
    }

    /// Writes an array; `body` writes its elements.
    package mutating func array<Failure: Error>(_ body: (inout JSONWriter) throws(Failure) -> Void) throws(Failure) {
        open(UInt8(ascii: "["))
        try body(&self)
        close(UInt8(ascii: "]"))
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    /// Writes the name of the next member.
    package mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(name)
        bytes.append("\":")
        needsComma = false
    }

    /// Writes the name of the next member, escaped: for names that are not known before.
    package mutating func key(text: String) {
        string(text)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    // MARK: Values

    /// Writes `null`.
    package mutating func null() {
        separate()
        bytes.append("null")
    }

    /// Writes `true` or `false`.
    package mutating func bool(_ value: Bool) {
        separate()
        bytes.append(value ? "true" : "false")
    }

    /// Writes an integer in decimal.
    package mutating func int(_ value: Int) {
        separate()
        bytes.appendDecimal(value)
    }

    /// Writes a string, escaped where it must be.
    package mutating func string(_ value: String) {
        separate()
        var value = value
        value.withUTF8 { bytes.appendJSONString(UnsafeRawBufferPointer($0)) }
    }

    /// Writes a time in quotes.
    package mutating func time(_ time: Timestamp) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(time)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes a value that is JSON already.
    package mutating func document(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    /// Lets `write` append one complete JSON value to the bytes themselves.
    package mutating func raw(_ write: (inout [UInt8]) -> Void) {
        separate()
        write(&bytes)
    }

    /// Writes a whole document as a value.
    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .number(let text): document(text)
        case .string(let text): string(text)
        case .array(let elements): array { json in for element in elements { json.value(element) } }
        case .object(let object): self.object(object)
        }
    }

    private mutating func object(_ object: JSONObject) {
        self.object { json in
            for member in object.members {
                json.key(text: member.name)
                json.value(member.value)
            }
        }
    }
}

// MARK: Members

extension JSONWriter {
    /// Writes a member that is a string, or null.
    package mutating func member(_ name: StaticString, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    /// Writes a member that is an integer, or null.
    package mutating func member(_ name: StaticString, _ value: Int?) {
        key(name)
        if let value { int(value) } else { null() }
    }

    /// Writes a member that is a truth value.
    package mutating func member(_ name: StaticString, _ value: Bool) {
        key(name)
        bool(value)
    }

    /// Writes a member that is an object; `body` writes its members.
    package mutating func member<Failure: Error>(
        _ name: StaticString, object body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        key(name)
        try object(body)
    }

    /// Writes a member that is an array; `body` writes one element.
    package mutating func member<Elements: Sequence, Failure: Error>(
        _ name: StaticString, array elements: Elements,
        _ body: (inout JSONWriter, Elements.Element) throws(Failure) -> Void
    ) throws(Failure) {
        key(name)
        try array { (json) throws(Failure) in for element in elements { try body(&json, element) } }
    }
}
