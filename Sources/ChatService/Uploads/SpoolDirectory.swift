import Foundation

/// The directories of the spool: a private root, shared by the replicas of one machine, and in it one directory for
/// each process. All calls block.
///
/// Beside each process's directory lies a lock file that the process holds with flock(2) as long as it lives. The lock
/// comes before the directory and goes after it, so a directory whose lock can be taken, or that has none, belongs to a
/// dead process. This needs no process ids, which are used again, and no time stamps.
struct SpoolDirectory: Sendable {
    private let root: String
    private let name: String
    private let lock: SpoolFile

    /// Where the files of this process go.
    var path: String { "\(root)/\(name)" }

    private static let prefix = "spool-"
    private static let lockSuffix = ".lock"

    /// A directory below the system's temporary one, with the user's id in its name because that one is shared.
    static var defaultRoot: String {
        FileManager.default.temporaryDirectory.appending(path: "parley-uploads-\(geteuid())").path
    }

    init(root: String) throws(SpoolFailure) {
        self.root = root
        try Self.prepare(root)
        while true {
            let name = Self.prefix + Self.randomName()
            let lock = try SpoolFile(path: "\(root)/\(name)\(Self.lockSuffix)", flags: O_CREAT | O_EXCL | O_RDWR)
            // Between the two calls the janitor of another process may have taken the file for an orphan.
            guard lock.tryLock() else { continue }
            self.name = name
            self.lock = lock
            break
        }
        guard mkdir(path, 0o700) == 0 else { throw .last("mkdir") }
    }

    /// 128 bits that nobody can guess, in hexadecimal.
    static func randomName() -> String {
        (0..<2).map { _ in String(UInt64.random(in: 0 ... .max), radix: 16) }.map {
            String(repeating: "0", count: 16 - $0.count) + $0
        }
        .joined()
    }

    /// Makes the root, or checks the one that is there: somebody else could have made it first.
    private static func prepare(_ root: String) throws(SpoolFailure) {
        if make(root) { return }
        guard errno == EEXIST else {
            throw .unusable(directory: root, reason: "It cannot be created: \(String(cString: strerror(errno))).")
        }
        var status = stat()
        guard lstat(root, &status) == 0 else { throw .last("lstat") }
        if let reason = fault(of: status) { throw .unusable(directory: root, reason: reason) }
    }

    /// Makes a directory, and what is missing above it, for their owner alone. False: errno says why not.
    private static func make(_ path: String) -> Bool {
        if mkdir(path, 0o700) == 0 { return true }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return false }
        guard make(String(path[..<slash])) || errno == EEXIST else { return false }
        return mkdir(path, 0o700) == 0
    }

    /// Why a directory cannot be the root, as a sentence; nil if it can, or can be made. Makes nothing.
    static func fault(ofRoot root: String) -> String? {
        var status = stat()
        if lstat(root, &status) == 0 { return fault(of: status) }
        var parent = root[...]
        while let slash = parent.lastIndex(of: "/") {
            parent = parent[..<slash]
            let path = parent.isEmpty ? "/" : String(parent)
            guard stat(path, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR, access(path, W_OK | X_OK) == 0 { return nil }
            return "It is not there, and cannot be made in \(path)."
        }
        return access(".", W_OK | X_OK) == 0 ? nil : "It is not there, and cannot be made in the working directory."
    }

    private static func fault(of status: stat) -> String? {
        if status.st_mode & S_IFMT != S_IFDIR { return "It is not a directory (a symbolic link is not followed)." }
        if status.st_uid != geteuid() { return "It belongs to another user." }
        // Others may look: what lies in it are the directories of single processes, which are 0700.
        if status.st_mode & 0o022 != 0 { return "Others may write in it; make it mode 0700." }
        return status.st_mode & 0o700 == 0o700 ? nil : "Its owner lacks rights in it; make it mode 0700."
    }
}

extension SpoolDirectory {
    /// Bytes that an unprivileged process can still write on the file system.
    func freeBytes() throws(SpoolFailure) -> Int {
        var status = statvfs()
        guard statvfs(root, &status) == 0 else { throw .last("statvfs") }
        return Int(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }

    /// Makes the directories and the lock look used. What lies below a temporary directory and was not touched for days
    /// is removed by the system (tmpfiles.d(5): 10 days for /tmp), also while a process holds it.
    func touch() {
        for path in [root, path, path + Self.lockSuffix] { _ = utimensat(AT_FDCWD, path, nil, 0) }
    }

    /// Removes what dead processes left. Returns the number of their files.
    func removeDead() -> Int {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let names = Set(entries.filter { $0.hasPrefix(Self.prefix) }.map { $0.replacing(Self.lockSuffix, with: "") })
        return names.subtracting([name]).reduce(0) { $0 + removeIfDead($1) }
    }

    private func removeIfDead(_ name: String) -> Int {
        let directory = "\(root)/\(name)"
        let lockPath = directory + Self.lockSuffix
        let lock = try? SpoolFile(path: lockPath, flags: O_RDWR)
        if let lock, !lock.tryLock() { return 0 }
        if lock == nil, access(lockPath, F_OK) == 0 { return 0 }
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory))?.count ?? 0
        try? FileManager.default.removeItem(atPath: directory)
        unlink(lockPath)
        return files
    }

    /// Removes the directory of this process with all files in it; for an orderly end.
    func remove() {
        try? FileManager.default.removeItem(atPath: path)
        unlink(path + Self.lockSuffix)
    }
}
