import Logging
import NIOCore
import Shared
import Synchronization

/// Where the uploaded bytes of this replica's jobs lie on its own disk, by file id.
///
/// A shortcut, never the truth: what is not here is rebuilt from `chat.upload_chunks`, and what nobody needs any more
/// is removed.
final class LocalUploads: Sendable {
    private let spool: UploadSpool
    private let logger: Logger
    private let paths = Mutex<[Int: String]>([:])

    init(spool: UploadSpool, logger: Logger) {
        self.spool = spool
        self.logger = logger
    }

    /// Remembers files whose rows were committed; a slot may have been quicker and have made its own copy already.
    func keep(_ files: [(id: Int, path: String)]) async {
        let spare = paths.withLock { paths in
            files.filter { file in
                if paths[file.id] == nil { paths[file.id] = file.path }
                return paths[file.id] != file.path
            }
        }
        for file in spare { await spool.remove(file.path) }
    }

    /// The file's bytes on this disk; rebuilt from its chunks when another replica took the upload.
    ///
    /// - Throws: what the disk or PostgreSQL threw, `UploadGone` when the chunks are gone.
    func path(ofFile fileID: Int, rebuildingFrom database: PostgresDatabase) async throws -> String {
        if let path = paths.withLock({ $0[fileID] }) { return path }
        var writer = try await spool.create()
        var number = 0
        while let bytes = try await database.uploadChunk(fileID: fileID, number: number) {
            try await writer.append(ByteBuffer(bytes: bytes))
            number += 1
        }
        guard number > 0 else { throw UploadGone(fileID: fileID) }
        let copy = try await writer.finish().path
        // The upload itself may have been kept in the meantime: then it is the one that `discard` will find.
        let path = paths.withLock { paths in
            let known = paths[fileID] ?? copy
            paths[fileID] = known
            return known
        }
        if path != copy { await spool.remove(copy) }
        return path
    }

    /// Removes the files of these ids from this disk.
    func discard(_ fileIDs: some Sequence<Int>) async {
        let removed = paths.withLock { paths in fileIDs.compactMap { paths.removeValue(forKey: $0) } }
        for path in removed { await spool.remove(path) }
    }

    /// Removes files whose job ended elsewhere: cancelled, deleted, or finished by another replica.
    func sweep(_ database: PostgresDatabase) async {
        let fileIDs = paths.withLock { Array($0.keys) }
        guard !fileIDs.isEmpty else { return }
        do {
            let live = try await database.filesStillUploaded(among: fileIDs)
            await discard(Set(fileIDs).subtracting(live))
        } catch {
            logger.debug("uploads not swept", metadata: ["error": "\(error)"])
        }
    }

    /// Removes what dead processes left in the spool. For a janitor.
    func removeOrphans() async {
        let removed = await spool.removeOrphans(keeping: paths.withLock { Set($0.values) })
        if removed > 0 { logger.info("orphaned uploads removed", metadata: ["files": "\(removed)"]) }
    }

    /// Removes everything, at the end of the process.
    func close() async {
        await spool.close()
    }
}

/// The bytes of an upload are no longer in the database, although a job still wants to read them.
struct UploadGone: Error {
    let fileID: Int
}
