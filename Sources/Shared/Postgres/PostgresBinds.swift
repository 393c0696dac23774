/// The bind values of one statement in the binary form of the wire protocol, in one buffer.
struct PostgresBinds: Sendable {
    /// One value: its type and where its bytes end in `bytes`; `isNull` values have none.
    struct Slot: Sendable {
        let type: PostgresType
        let isNull: Bool
        let end: Int
    }

    private(set) var slots: [Slot] = []
    private(set) var bytes: [UInt8] = []
    /// Set when a value cannot be sent; the statement is then refused before it reaches a connection.
    private(set) var problem: String?

    var count: Int { slots.count }

    mutating func append<Value: PostgresEncodable>(_ value: Value) {
        var writer = PostgresWriter(bytes: bytes)
        bytes = []
        let isNull = value.encode(into: &writer) == .null
        bytes = writer.bytes
        problem = problem ?? writer.problem.map { "bind $\(slots.count + 1) \($0)" }
        slots.append(Slot(type: Value.postgresType, isNull: isNull, end: bytes.count))
        checkSize()
    }

    mutating func append(contentsOf other: PostgresBinds) {
        let base = bytes.count
        bytes += other.bytes
        problem = problem ?? other.problem
        slots += other.slots.map { Slot(type: $0.type, isNull: $0.isNull, end: base + $0.end) }
        checkSize()
    }

    /// The protocol counts parameters in 16 bits, and the server takes no message of 1 GiB (`PQ_LARGE_MESSAGE_LIMIT`).
    private mutating func checkSize() {
        if count > 65_535 { problem = problem ?? "there are more than 65,535 binds" }
        if bytes.count >= 1 << 30 { problem = problem ?? "the binds are larger than 1 GiB" }
    }
}

/// Writes one bind value in network byte order.
package struct PostgresWriter {
    fileprivate(set) var bytes: [UInt8]
    fileprivate(set) var problem: String?

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Appends an integer, most significant byte first.
    package mutating func write<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends bytes as they are.
    package mutating func write(bytes more: some Sequence<UInt8>) {
        bytes.append(contentsOf: more)
    }

    /// Appends a value with its length in front, as the elements of an array are sent.
    mutating func writeElement<Element: PostgresEncodable>(_ element: Element) -> PostgresNullness {
        let start = bytes.count
        write(Int32(-1))
        guard element.encode(into: &self) == .value else { return .null }
        let length = Int32(bytes.count - start - 4)
        withUnsafeBytes(of: length.bigEndian) { bytes.replaceSubrange(start..<start + 4, with: $0) }
        return .value
    }

    /// Marks the value as one that must not be sent. `reason` never contains the value itself.
    mutating func refuse(_ reason: String) {
        problem = problem ?? reason
    }
}

/// Whether an encoded value is SQL NULL.
package enum PostgresNullness: Sendable {
    case value, null
}
