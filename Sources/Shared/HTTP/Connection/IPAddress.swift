import Foundation
package import NIOCore

/// An IPv4 or IPv6 address. IPv4 inside IPv6 (`::ffff:192.0.2.1`, RFC 4291, section 2.5.5.2) is the IPv4 address, so
/// that a rule for one holds on a socket of both kinds.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16 bytes, network order.
    package let bytes: [UInt8]

    private init(normalizing bytes: [UInt8]) {
        let mapped = bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        self.bytes = mapped ? Array(bytes[12...]) : bytes
    }

    /// Reads the textual form that inet_pton(3) takes; no port, no brackets, no zone.
    package init?(_ text: some StringProtocol) {
        let text = String(text)
        guard text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.init(normalizing: Array(bytes[..<4]))
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            self.init(normalizing: bytes)
        } else {
            return nil
        }
    }

    /// Reads one element of X-Forwarded-For: an address, perhaps with a port (`192.0.2.1:443`, `[2001:db8::1]:443`).
    package init?(forwarded element: some StringProtocol) {
        let text = element.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            self.init(text[text.index(after: text.startIndex)..<end])
        } else if let colon = text.firstIndex(of: ":"), text.lastIndex(of: ":") == colon {
            self.init(text[..<colon])
        } else {
            self.init(text)
        }
    }

    /// The address of a connection's peer; nil for a Unix domain socket.
    package init?(_ address: SocketAddress) {
        switch address {
        case .v4(let address):
            self.init(normalizing: withUnsafeBytes(of: address.address.sin_addr) { Array($0) })
        case .v6(let address):
            self.init(normalizing: withUnsafeBytes(of: address.address.sin6_addr) { Array($0) })
        case .unixDomainSocket: return nil
        }
    }

    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "unknown" }
        return text.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// A block of addresses in CIDR notation (RFC 4632, RFC 4291): `10.0.0.0/8`, `::1/128`; without a length, one address.
package struct AddressBlock: Sendable, Hashable {
    private let address: IPAddress
    private let prefixBits: Int

    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        let bitsMax = address.bytes.count * 8
        self.address = address
        guard parts.count == 2 else {
            prefixBits = bitsMax
            return
        }
        // "::ffff:10.0.0.0/104" has been made IPv4, and its length with it.
        let isMapped = address.bytes.count == 4 && first.contains(":")
        guard let bits = Int(parts[1]), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        prefixBits = isMapped ? bits - 96 : bits
        guard (0...bitsMax).contains(prefixBits) else { return nil }
    }

    /// Whether the address, which must be of the same family, begins with the block's bits.
    package func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        let (whole, rest) = prefixBits.quotientAndRemainder(dividingBy: 8)
        guard address.bytes[..<whole] == other.bytes[..<whole] else { return false }
        guard rest > 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> rest)
        return address.bytes[whole] & mask == other.bytes[whole] & mask
    }
}
