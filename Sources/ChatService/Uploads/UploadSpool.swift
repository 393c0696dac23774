import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// Holds uploaded files on disk until their recognition has ended.
///
/// Files are made by `withFiles` (a request: they are gone when it ends, unless `SpoolScope.keep` was called) or by
/// `create` (a takeover: kept from the start). A kept file is removed by `remove`, by `close`, or by the janitor once
/// no job claims it. All file work runs on a thread pool, never on the cooperative one.
final class UploadSpool: Sendable {
    private struct Entry {
        var bytes = 0
        var isKept: Bool
        /// No job claimed the file at the last `removeOrphans`.
        var wasUnclaimed = false
    }

    private struct Account {
        var files: [String: Entry] = [:]
        var bytes = 0
    }

    /// Free space that is left to others on the same file system.
    static let reservedBytes = 64 * 1024 * 1024

    private let directory: SpoolDirectory
    private let maximumBytes: Int
    private let threads: NIOThreadPool
    private let account = Mutex(Account())

    /// Makes the directory of this process. Blocks for a moment: to be called while starting.
    /// - Parameters:
    ///   - root: `UPLOAD_DIR`; nil for a private directory below the system's temporary one.
    ///   - maximumBytes: how much all files together may take.
    init(
        root: String?, maximumBytes: Int = 10 * 1024 * 1024 * 1024, threads: NIOThreadPool = .singleton
    ) throws(SpoolFailure) {
        directory = try SpoolDirectory(root: root ?? SpoolDirectory.defaultRoot)
        self.maximumBytes = maximumBytes
        self.threads = threads
    }

    /// The directory of this process.
    var path: String { directory.path }

    /// What the files take now, in bytes and in number.
    var usage: (files: Int, bytes: Int) { account.withLock { ($0.files.count, $0.bytes) } }

    /// Lends a scope in which files can be made, and removes at its end those that were not kept, also when `body`
    /// throws or its task is cancelled.
    func withFiles<R: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ body: (SpoolScope) async throws -> R
    ) async throws -> R {
        let scope = SpoolScope(spool: self)
        do {
            let result = try await body(scope)
            await scope.end()
            return result
        } catch {
            await scope.end()
            throw error
        }
    }

    /// Begins a file that is kept: the copy of an upload that this replica takes over, rebuilt from its chunks. It is
    /// removed again if the writer goes without `finish`.
    func create() async throws -> SpoolWriter { try await create(isKept: true) }

    func create(isKept: Bool) async throws -> SpoolWriter {
        let path = "\(directory.path)/\(SpoolDirectory.randomName())"
        account.withLock { $0.files[path] = Entry(isKept: isKept) }
        do {
            let file = try await onThread { try SpoolFile(path: path, flags: O_CREAT | O_EXCL | O_WRONLY) }
            return SpoolWriter(path: path, file: file, spool: self)
        } catch {
            forget(path)
            throw error
        }
    }

    /// Throws `.full` if a body of this size cannot be stored, so that it need not be read.
    func checkRoom(for bytes: Int) async throws {
        let directory = directory
        let freeBytes = try await onThread { try directory.freeBytes() }
        guard freeBytes - Self.reservedBytes >= bytes, usage.bytes + bytes <= maximumBytes else {
            throw SpoolFailure.full
        }
    }

    /// Gives the bytes of a file in pieces of `size`, in order, for `chat.upload_chunks`.
    func forEachChunk(
        of path: String, size: Int = 256 * 1024, isolation: isolated (any Actor)? = #isolation,
        _ body: (_ index: Int, _ bytes: [UInt8]) async throws -> Void
    ) async throws {
        let file = try await onThread { try SpoolFile(path: path, flags: O_RDONLY) }
        for index in 0... {
            let bytes = try await onThread { try file.read(upTo: size) }
            if !bytes.isEmpty { try await body(index, bytes) }
            if bytes.count < size { return }
        }
    }

    /// Removes a file. Does nothing if it is gone already.
    func remove(_ path: String) async {
        forget(path)
        _ = try? await onThread { unlink(path) }
    }

    /// Removes what no job claims: the files of dead processes, and kept files of ours that were not among `live` paths
    /// twice in a row (a file may be kept a moment before its job is listed). Touches this process's directory, so
    /// that the system does not take it for forgotten. For a janitor at start and every 10 minutes.
    /// - Returns: how many files were removed.
    func removeOrphans(keeping live: Set<String>) async -> Int {
        let orphans = account.withLock { account in
            account.files.filter { $0.value.isKept && !live.contains($0.key) && $0.value.wasUnclaimed }.map(\.key)
        }
        account.withLock { account in
            for path in account.files.keys { account.files[path]?.wasUnclaimed = !live.contains(path) }
        }
        for path in orphans { await remove(path) }
        let directory = directory
        let dead = try? await onThread {
            directory.touch()
            return directory.removeDead()
        }
        return orphans.count + (dead ?? 0)
    }

    /// Removes this process's directory with everything in it. Nothing may be made afterwards.
    func close() async {
        let directory = directory
        account.withLock { $0 = Account() }
        try? await onThread { directory.remove() }
    }
}

extension UploadSpool {
    func keep(_ paths: some Sequence<String>) {
        account.withLock { account in
            for path in paths { account.files[path]?.isKept = true }
        }
    }

    /// Counts bytes before they are written. Throws `.full` beyond the bound, `.gone` after the file was removed.
    func reserve(_ bytes: Int, for path: String) throws(SpoolFailure) {
        let failure: SpoolFailure? = account.withLock { account in
            guard let entry = account.files[path] else { return .gone }
            guard account.bytes + bytes <= maximumBytes else { return .full }
            account.files[path]?.bytes = entry.bytes + bytes
            account.bytes += bytes
            return nil
        }
        if let failure { throw failure }
    }

    /// Removes a file without anybody waiting for it; for a writer that was dropped.
    func discard(_ path: String) {
        forget(path)
        threads.submit { _ in unlink(path) }
    }

    private func forget(_ path: String) {
        account.withLock { account in
            guard let entry = account.files.removeValue(forKey: path) else { return }
            account.bytes -= entry.bytes
        }
    }

    /// Runs blocking work on the thread pool, to its end even if the task is cancelled: what it began must be undone or
    /// finished, not left in between.
    func onThread<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            threads.submit { _ in continuation.resume(with: Result(catching: work)) }
        }
    }
}

/// The files of one request; see `UploadSpool.withFiles`.
final class SpoolScope: Sendable {
    private let spool: UploadSpool
    private let paths = Mutex<Set<String>>([])

    init(spool: UploadSpool) {
        self.spool = spool
    }

    func create() async throws -> SpoolWriter {
        let writer = try await spool.create(isKept: false)
        let path = writer.path
        paths.withLock { _ = $0.insert(path) }
        return writer
    }

    /// Leaves the files made so far to the spool: the scope's end does not remove them.
    func keep() {
        spool.keep(
            paths.withLock { paths in
                defer { paths = [] }
                return paths
            })
    }

    func end() async {
        let left = paths.withLock { paths in
            defer { paths = [] }
            return paths
        }
        for path in left { await spool.remove(path) }
    }
}
