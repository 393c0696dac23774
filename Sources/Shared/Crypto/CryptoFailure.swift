import COpenSSL

/// The reason a cryptographic operation failed.
package enum CryptoFailure: Error, Equatable, CustomStringConvertible {
    /// The key, the sealed bytes or the bytes they were bound to are not those of the sealing.
    case notAuthentic
    /// More bytes than the function of libcrypto can count.
    case tooLong
    /// A function of libcrypto failed.
    case library(function: String, reason: String)

    package var description: String {
        switch self {
        case .notAuthentic: "the sealed bytes are not authentic"
        case .tooLong: "too many bytes at once"
        case .library(let function, let reason): "\(function): \(reason)"
        }
    }

    /// The failure that libcrypto has just reported on this thread.
    ///
    /// Empties the thread's error queue: libpq and libcurl read the same one after their own calls.
    static func last(_ function: String) -> CryptoFailure {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        guard code != 0 else { return .library(function: function, reason: "failed without a reason") }
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(code, &text, text.count)
        let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return .library(function: function, reason: reason)
    }

    /// - Parameter code: what `function` returned; 1 is success.
    static func check(_ code: Int32, _ function: String) throws(CryptoFailure) {
        guard code == 1 else { throw last(function) }
    }

    /// Ends the process on failure. For calls that fail only without memory, or without a standard algorithm.
    static func require(_ code: Int32, _ function: String) {
        guard code == 1 else { fatalError("\(last(function))") }
    }

    /// Ends the process if nothing was made. For calls that fail only without memory, or without a standard algorithm.
    static func require(_ made: OpaquePointer?, _ function: String) -> OpaquePointer {
        guard let made else { fatalError("\(last(function))") }
        return made
    }
}
