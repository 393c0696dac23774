import Glibc

/// An open file of the spool. Its calls block: they belong on a thread pool.
final class SpoolFile: Sendable {
    private let descriptor: Int32

    /// - Parameter flags: of open(2); O_CLOEXEC and O_NOFOLLOW are added. A file that is created is its owner's alone.
    init(path: String, flags: Int32) throws(SpoolFailure) {
        descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .last("open") }
    }

    deinit { close(descriptor) }

    /// Writes all the bytes at the end of what was written before.
    func write(_ bytes: UnsafeRawBufferPointer) throws(SpoolFailure) {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let count = Glibc.write(descriptor, start, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last("write") }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Reads up to `count` bytes; fewer only at the end of the file.
    func read(upTo count: Int) throws(SpoolFailure) -> [UInt8] {
        var failure: SpoolFailure?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let read = Glibc.read(
                    descriptor, UnsafeMutableRawBufferPointer(buffer).baseAddress! + filled, count - filled)
                if read < 0, errno == EINTR { continue }
                if read < 0 { failure = .last("read") }
                guard read > 0 else { return }
                filled += read
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Takes the lock of flock(2) without waiting; it is held until the file is closed, by whatever ends the process.
    /// False: somebody else has it, or the file was removed meanwhile.
    func tryLock() -> Bool {
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return false }
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_nlink > 0
    }
}
