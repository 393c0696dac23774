import Crypto
import NIOCore

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
    private let file: SpoolFile
    private let spool: UploadSpool
    private var batch = ByteBuffer()
    private var hash = SHA256()
    private var size = 0
    private var isFinished = false

    init(path: String, file: SpoolFile, spool: UploadSpool) {
        self.path = path
        self.file = file
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
        return Result(path: path, size: size, sha256: Array(hash.finalize()))
    }

    private mutating func writeBatch() async throws {
        let (bytes, file, hashed) = (batch, file, hash)
        batch = ByteBuffer()
        try spool.reserve(bytes.readableBytes, for: path)
        hash = try await spool.onThread {
            var hash = hashed
            try bytes.withUnsafeReadableBytes { bytes in
                hash.update(bufferPointer: bytes)
                try file.write(bytes)
            }
            return hash
        }
        size += bytes.readableBytes
    }
}
