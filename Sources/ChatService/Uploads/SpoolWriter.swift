import NIOCore
import Shared
import Synchronization

/// Writes one file of the spool, in pieces of `batchBytes`, and hashes it on the way.
///
/// Not copyable: whoever has it is the only writer. If it goes without `finish`, its file goes too.
struct SpoolWriter: ~Copyable, Sendable {
    /// What a finished file is.
    struct Result: Equatable, Sendable {
        let path: String
        let size: Int
        /// SHA-256 of the content, 32 bytes.
        let sha256: [UInt8]
    }

    /// Bytes gathered before they are written; with NIO's own buffers, all the memory that an upload takes.
    static let batchBytes = 256 * 1024

    let path: String
    private let file: HashedFile
    private let spool: UploadSpool
    private var batch = ByteBuffer()
    private var size = 0
    private var isFinished = false

    init(path: String, file: SpoolFile, spool: UploadSpool) {
        self.path = path
        self.file = HashedFile(file)
        self.spool = spool
    }

    deinit {
        if !isFinished { spool.discard(path) }
    }

    /// Takes more bytes; returns when there is room for the next ones, which is what slows the sender down to the
    /// speed of the disk. Copies them: slices of small network reads would hold on to more memory than they show.
    mutating func append(_ bytes: ByteBuffer) async throws {
        var rest = bytes
        while let piece = rest.readSlice(length: min(rest.readableBytes, Self.batchBytes - batch.readableBytes)),
            piece.readableBytes > 0
        {
            batch.writeImmutableBuffer(piece)
            if batch.readableBytes == Self.batchBytes { try await writeBatch() }
        }
    }

    /// Writes the rest. The file is complete afterwards; it is not synced, because the database keeps the durable copy.
    consuming func finish() async throws -> Result {
        try await writeBatch()
        isFinished = true
        return Result(path: path, size: size, sha256: file.finishHash())
    }

    private mutating func writeBatch() async throws {
        let (bytes, file) = (batch, file)
        batch = ByteBuffer()
        try spool.reserve(bytes.readableBytes, for: path)
        try await spool.onThread { try file.write(bytes) }
        size += bytes.readableBytes
    }
}

/// A file and the hash of what was written to it. One batch after another is written, each on any thread of the pool;
/// the lock proves that the hash never has two at once.
private final class HashedFile: Sendable {
    private let file: SpoolFile
    private let hash = Mutex<SHA256?>(SHA256())

    init(_ file: SpoolFile) {
        self.file = file
    }

    func write(_ bytes: ByteBuffer) throws(SpoolFailure) {
        hash.withLock { hash in bytes.withUnsafeReadableBytes { hash?.update(bufferPointer: $0) } }
        try bytes.withUnsafeReadableBytes { (bytes) throws(SpoolFailure) in try file.write(bytes) }
    }

    /// The hash of everything that was written. To be called once.
    func finishHash() -> [UInt8] {
        guard let hash = hash.withLock({ $0.take() }) else { preconditionFailure("the hash is finished already") }
        return hash.finalize()
    }
}
