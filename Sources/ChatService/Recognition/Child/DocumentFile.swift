import Glibc

/// An open file, seen as memory: the decoders read it where it is, and nothing is copied.
final class DocumentFile {
    let descriptor: Int32
    let bytes: UnsafeRawBufferPointer

    /// Takes over the descriptor of a regular file.
    init(descriptor: Int32) throws(RecognitionFailure) {
        self.descriptor = descriptor
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard size > 0 else {
            close(descriptor)
            throw .unreadableFile("The file is empty.")
        }
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            close(descriptor)
            throw .unavailable("mmap: \(String(cString: strerror(errno)))")
        }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
        close(descriptor)
    }
}
