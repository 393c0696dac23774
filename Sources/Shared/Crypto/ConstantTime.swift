import COpenSSL

extension Collection<UInt8> {
    /// Lends the bytes in one piece; copies them if they do not lie in one.
    func withContiguousBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        withContiguousStorageIfAvailable { body(UnsafeRawBufferPointer($0)) } ?? Array(self).withUnsafeBytes(body)
    }
}

/// Comparison that takes the same time wherever the bytes differ.
package enum ConstantTime {
    /// Returns true if both are the same bytes. The time it takes reveals only their lengths.
    package static func areEqual(_ one: some Collection<UInt8>, _ other: some Collection<UInt8>) -> Bool {
        one.withContiguousBytes { one in
            other.withContiguousBytes { other in
                guard one.count == other.count else { return false }
                guard let first = one.baseAddress, let second = other.baseAddress else { return true }
                return CRYPTO_memcmp(first, second, one.count) == 0
            }
        }
    }
}
