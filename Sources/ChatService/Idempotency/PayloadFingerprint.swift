import Shared

/// SHA-256 of what a request means, whatever form it came in: its known fields in a fixed order and, for files, their
/// names and the hashes of their bytes. JSON, form and multipart of one meaning are one payload; unknown members, which
/// are ignored, do not count.
struct PayloadFingerprint: Sendable, Equatable {
    /// 32 bytes.
    let bytes: [UInt8]

    /// - Parameter parts: in the order that the call defines; nil and empty are different.
    init(_ parts: [[UInt8]?]) {
        var hash = SHA256()
        for part in parts {
            // The length before each part: no two lists have the same bytes.
            var length = Int64(part?.count ?? -1).bigEndian
            withUnsafeBytes(of: &length) { hash.update(bufferPointer: $0) }
            if let part { hash.update(data: part) }
        }
        bytes = hash.finalize()
    }
}
