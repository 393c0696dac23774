import Synchronization

/// Names for requests: unique among all replicas, not secret.
enum RequestID {
    /// Drawn once a process.
    private static let prefix = String(UInt64.random(in: 1 << 60 ... .max), radix: 16)
    private static let counter = Atomic<UInt64>(0)

    static func make() -> String {
        prefix + "-" + String(counter.wrappingAdd(1, ordering: .relaxed).newValue, radix: 16)
    }

    /// The client's own id, if it is 1 to 64 of `[A-Za-z0-9._-]`.
    static func accepted(_ text: String?) -> String? {
        guard let text, (1...64).contains(text.utf8.count), text.utf8.allSatisfy(isAllowed) else { return nil }
        return text
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
