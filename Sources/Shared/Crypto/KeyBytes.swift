import COpenSSL
import Synchronization

/// The bytes of a key: the only copy, overwritten when they are released.
package struct KeyBytes: ~Copyable, Sendable {
    /// Never handed out as an array, so that what is overwritten is not shared. The lock is for `deinit`, which can
    /// change the bytes only through it.
    private let bytes: Mutex<[UInt8]>
    /// The length of the key in bytes.
    package let count: Int

    /// Copies the bytes of a key.
    package init(_ key: some Collection<UInt8>) {
        let count = key.count
        self.init(count: count) { bytes in bytes.copyBytes(from: key) }
    }

    /// - Parameter fill: writes all `count` bytes.
    init(count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        // An empty array has no address of its own, and libcrypto takes a key without address for no key.
        var bytes = [UInt8](repeating: 0, count: max(1, count))
        bytes.withUnsafeMutableBytes { fill(UnsafeMutableRawBufferPointer(rebasing: $0[..<count])) }
        self.bytes = Mutex(bytes)
        self.count = count
    }

    deinit {
        bytes.withLock { bytes in bytes.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) } }
    }

    /// Lends the bytes, whose address is never nil.
    borrowing func withUnsafeBytes<R: Sendable>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        bytes.withLock { bytes in
            bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }
}
