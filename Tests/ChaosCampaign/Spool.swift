import Foundation
import TestSupport

/// The upload directory of one replica, and a way to fill it: a small file system of its own where that may be mounted,
/// else a limit on the size of the replica's files, which fails in the way of a quota.
struct Spool: Sendable {
    let directory: URL
    private let isMounted: Bool

    /// More than the 64 MiB that the service leaves free, and room for some uploads.
    private static let roomyMegabytes = 160

    /// - Parameter mayMount: whether this process is alone with its mounts; see Tests/chaos.
    init(folder: URL, replica: Int, mayMount: Bool) async throws {
        directory = folder.appending(path: "uploads-\(replica)")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        guard mayMount else {
            isMounted = false
            return
        }
        let options = "size=\(Self.roomyMegabytes)m,mode=700"
        _ = try await Command.run("mount", ["-t", "tmpfs", "-o", options, "parley-chaos", directory.path])
        isMounted = true
    }

    /// From now on nothing more can be written.
    func fill(process: Int32?) async throws {
        if isMounted {
            // As small as what is in it; an upload may grow between the look and the change, which is refused then.
            for extra in [8, 512, 4096, 16_384] {
                let used = try await Command.run("df", ["--output=used", directory.path]).filter(\.isNumber)
                if (try? await resize("\((Int(used) ?? 0) + extra)k")) != nil { return }
            }
            throw SuiteFault(description: "\(directory.path) could not be made smaller")
        } else if let process {
            _ = try await Command.run("prlimit", ["--pid", "\(process)", "--fsize=4096:unlimited"])
        }
    }

    /// There is room again.
    func empty(process: Int32?) async throws {
        if isMounted {
            try await resize("\(Self.roomyMegabytes)m")
        } else if let process {
            _ = try await Command.run("prlimit", ["--pid", "\(process)", "--fsize=unlimited:unlimited"])
        }
    }

    /// Everything that is a file and no lock.
    var files: [String] {
        let all = FileManager.default.subpaths(atPath: directory.path) ?? []
        return all.filter { path in
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: directory.appending(path: path).path, isDirectory: &isFolder)
            return !isFolder.boolValue && !path.hasSuffix(".lock")
        }
    }

    /// What is left after every replica has stopped in order.
    var leftovers: [String] { FileManager.default.subpaths(atPath: directory.path) ?? [] }

    func remove() async {
        if isMounted { _ = try? await Command.run("umount", ["-l", directory.path]) }
    }

    private func resize(_ size: String) async throws {
        _ = try await Command.run("mount", ["-o", "remount,size=\(size)", directory.path])
    }
}

/// A program of the system, run to its end.
enum Command {
    static func run(_ name: String, _ arguments: [String]) async throws -> String {
        let process = try await SpawnedProcess.start(
            URL(filePath: "/usr/bin/env"), [name] + arguments, name: name,
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"], directory: URL(filePath: "/"))
        let status = try await process.waitForExit(atMost: .seconds(20))
        for await _ in process.log.lines {}
        guard status == 0 else { throw ProcessEnded(name: "\(name) \(arguments)", log: process.log.text) }
        return process.log.text
    }
}
