package import NIOCore

/// `application/x-www-form-urlencoded` (URL Living Standard, section 5.1), read strictly: a broken percent escape,
/// invalid UTF-8, NUL and a name that comes twice are 400, as in JSON.
package enum FormPairs {
    /// More pairs than any form of ours has.
    private static let pairsMax = 64

    /// The pairs by name; 400 `invalid_form` for what cannot be read in exactly one way.
    package static func parse(_ bytes: ByteBuffer) throws -> [String: String] {
        var pairs: [String: String] = [:]
        let sequences = bytes.readableBytesView.split(separator: UInt8(ascii: "&"), maxSplits: pairsMax)
        guard sequences.count <= pairsMax else { throw Problem(.invalidForm) }
        for sequence in sequences {
            let pair = sequence.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = try decoded(pair[0])
            let value = pair.count == 2 ? try decoded(pair[1]) : ""
            guard pairs.updateValue(value, forKey: name) == nil else { throw Problem(.invalidForm) }
        }
        return pairs
    }

    private static func decoded(_ bytes: ByteBufferView) throws -> String {
        guard let text = percentDecoded(bytes, plusIsBlank: true) else { throw Problem(.invalidForm) }
        return text
    }

    /// Percent-decodes (RFC 3986, section 2.1); nil for a broken escape, NUL or what is no UTF-8 then.
    package static func percentDecoded(_ bytes: some Collection<UInt8>, plusIsBlank: Bool) -> String? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var iterator = bytes.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next()?.hexadecimalValue, let low = iterator.next()?.hexadecimalValue else {
                    return nil
                }
                decoded.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsBlank: decoded.append(0x20)
            default: decoded.append(byte)
            }
        }
        guard !decoded.contains(0) else { return nil }
        return String(validating: decoded, as: UTF8.self)
    }
}

extension UInt8 {
    /// The value of an ASCII hexadecimal digit.
    var hexadecimalValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
