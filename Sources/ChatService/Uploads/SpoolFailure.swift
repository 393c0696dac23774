import Glibc

/// Why the spool could not do what it was asked.
enum SpoolFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The disk is full (ENOSPC), a quota is reached (EDQUOT, EFBIG), or our own bound is.
    case full
    /// The directory cannot be used; stops the start. `reason` is a sentence for the operator.
    case unusable(directory: String, reason: String)
    /// The file was removed while it was being written: its scope or the spool has ended.
    case gone
    /// A system call failed in a way that is nobody's fault but ours.
    case system(call: String, errno: Int32)

    /// A sentence for the operator.
    var description: String {
        switch self {
        case .full: "There is no room for uploads."
        case .unusable(let directory, let reason): "UPLOAD_DIR \(directory) cannot be used. \(reason)"
        case .gone: "A file of the spool is gone."
        case .system(let call, let code): "\(call) failed: \(String(cString: strerror(code)))."
        }
    }

    /// The failure that errno(3) describes, right after `call` has failed.
    static func last(_ call: String) -> SpoolFailure {
        switch errno {
        case ENOSPC, EDQUOT, EFBIG: .full
        case let code: .system(call: call, errno: code)
        }
    }
}
