import Foundation
import NIOCore
import Shared
import Testing

@testable import ChatService

/// Lends a path below the temporary directory at which nothing lies, and removes whatever lies there afterwards.
func withSpoolRoot<R>(_ body: (String) async throws -> R) async throws -> R {
    let root = FileManager.default.temporaryDirectory.appending(path: "parley-test-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: root) }
    return try await body(root)
}

private func mode(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.posixPermissions] as? Int)
}

@Suite struct UploadSpoolTests {
    private let bytes = (0..<700_001).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    private func entries(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path)
    }

    private func write(_ bytes: [UInt8], to scope: SpoolScope) async throws -> SpoolWriter.Result {
        var writer = try await scope.create()
        for start in stride(from: 0, to: bytes.count, by: 10_000) {
            try await writer.append(ByteBuffer(bytes: bytes[start...].prefix(10_000)))
        }
        return try await writer.finish()
    }

    @Test func aFileIsPrivateCompleteAndHashed() async throws {
        try await withSpoolRoot { root in
            let spool = try UploadSpool(root: root)
            #expect(try mode(root) == 0o700)
            #expect(try mode(spool.path) == 0o700)
            try await spool.withFiles { scope in
                let file = try await write(bytes, to: scope)
                #expect(try mode(file.path) == 0o600)
                #expect(FileManager.default.contents(atPath: file.path) == Data(bytes))
                #expect(file.size == bytes.count)
                #expect(file.sha256 == SHA256.hash(data: bytes))
                #expect(spool.usage == (1, bytes.count))
            }
        }
    }

    @Test func aScopeTakesItsFilesWithIt() async throws {
        try await withSpoolRoot { root in
            let spool = try UploadSpool(root: root)
            await #expect(throws: UploadFailure.noFile) {
                try await spool.withFiles { scope in
                    _ = try await write(bytes, to: scope)
                    _ = try await write([1], to: scope)
                    throw UploadFailure.noFile
                }
            }
            #expect(try entries(spool.path) == [])
            #expect(spool.usage == (0, 0))
        }
    }

    @Test func aCancelledScopeTakesItsFilesWithIt() async throws {
        try await withSpoolRoot { root in
            let spool = try UploadSpool(root: root)
            let (written, mark) = AsyncStream<Void>.makeStream()
            let task = Task {
                try await spool.withFiles { scope in
                    _ = try await write(bytes, to: scope)
                    mark.finish()
                    try await Task.sleep(for: .seconds(3600))
                }
            }
            for await _ in written {}
            #expect(try entries(spool.path).count == 1)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try entries(spool.path) == [])
        }
    }

    @Test func keptFilesStayUntilTheyAreRemoved() async throws {
        try await withSpoolRoot { root in
            let spool = try UploadSpool(root: root)
            let file = try await spool.withFiles { scope in
                let file = try await write(bytes, to: scope)
                scope.keep()
                return file
            }
            #expect(spool.usage == (1, bytes.count))
            await spool.remove(file.path)
            await spool.remove(file.path)
            #expect(try entries(spool.path) == [])
            #expect(spool.usage == (0, 0))
        }
    }

    @Test func aFileIsReadInChunksAndRebuiltFromThem() async throws {
        try await withSpoolRoot { root in
            let spool = try UploadSpool(root: root)
            for count in [0, 1, 4096, 262_144, 262_145, bytes.count] {
                try await spool.withFiles { scope in
                    let file = try await write(Array(bytes.prefix(count)), to: scope)
                    var copy = try await spool.create()
                    var indices: [Int] = []
                    try await spool.forEachChunk(of: file.path) { index, chunk in indices.append(index) }
                    #expect(indices == Array(0..<((count + 262_143) / 262_144)))
                    for start in stride(from: 0, to: count, by: 262_144) {
                        try await copy.append(ByteBuffer(bytes: bytes[start..<min(count, start + 262_144)]))
                    }
                    let rebuilt = try await copy.finish()
                    #expect(rebuilt.sha256 == file.sha256)
                    await spool.remove(rebuilt.path)
                }
            }
        }
    }

    @Test func aWriterThatIsDroppedTakesItsFileWithIt() async throws {
        try await withSpoolRoot { root in
            let spool = try UploadSpool(root: root)
            func drop() async throws {
                var writer = try await spool.create()
                try await writer.append(ByteBuffer(bytes: bytes))
            }
            try await drop()
            #expect(spool.usage == (0, 0))
            await spool.close()
            #expect(try entries(root) == [])
        }
    }

    @Test func theSpoolIsBoundedAndRoomComesBack() async throws {
        try await withSpoolRoot { root in
            let spool = try UploadSpool(root: root, maximumBytes: 1_000_000)
            await #expect(throws: SpoolFailure.full) { try await spool.checkRoom(for: 1_000_001) }
            await #expect(throws: SpoolFailure.full) { try await spool.checkRoom(for: .max / 2) }
            try await spool.withFiles { scope in
                _ = try await write(bytes, to: scope)
                await #expect(throws: SpoolFailure.full) { try await write(bytes, to: scope) }
            }
            try await spool.checkRoom(for: 1_000_000)
            #expect(spool.usage == (0, 0))
        }
    }

    @Test func aFullDiskIsTold() async throws {
        try await withSpoolRoot { root in
            let spool = try UploadSpool(root: root)
            let counted = try await spool.create()
            // Every write to this device fails with ENOSPC (full(4)).
            let device = try SpoolFile(path: "/dev/full", flags: O_WRONLY)
            var writer = SpoolWriter(path: counted.path, file: device, spool: spool)
            let failure = await #expect(throws: SpoolFailure.self) {
                try await writer.append(ByteBuffer(bytes: bytes))
            }
            #expect(failure == .full)
        }
    }
}

@Suite struct SpoolDirectoryTests {
    @Test func aDirectoryThatIsNotPrivateStopsTheStart() async throws {
        try await withSpoolRoot { root in
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
            for (mode, fragment) in [(0o775, "write"), (0o757, "write"), (0o500, "lacks")] {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: root)
                let failure = #expect(throws: SpoolFailure.self) { try UploadSpool(root: root) }
                guard case .unusable(root, let reason) = failure else { throw try #require(failure) }
                #expect(reason.contains(fragment))
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: root)
            #expect(throws: Never.self) { try UploadSpool(root: root) }
            let link = root + "-link"
            defer { try? FileManager.default.removeItem(atPath: link) }
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: root)
            #expect(throws: SpoolFailure.self) { try UploadSpool(root: link) }
            #expect(throws: SpoolFailure.self) { try UploadSpool(root: "/proc/self/nowhere") }
            #expect(throws: SpoolFailure.self) { try UploadSpool(root: "/dev/null") }
        }
    }

    @Test(arguments: ["/a/b/c", "/a/b/c/"])
    func whatIsMissingAboveItIsMadeForItsOwnerAlone(_ path: String) async throws {
        try await withSpoolRoot { root in
            let spool = try UploadSpool(root: root + path)
            for made in ["", "/a", "/a/b", "/a/b/c"] { #expect(try mode(root + made) == 0o700) }
            await spool.close()
        }
    }

    @Test func aPlaceThatCannotBeMadeIsNamed() throws {
        let failure = #expect(throws: SpoolFailure.self) { try UploadSpool(root: "/proc/self/nowhere/deep") }
        guard case .unusable("/proc/self/nowhere/deep", let reason) = failure else { throw try #require(failure) }
        #expect(reason.hasPrefix("It cannot be created: "))
    }

    @Test func theJanitorRemovesWhatTheDeadLeftAndNothingOfTheLiving() async throws {
        try await withSpoolRoot { root in
            let living = try UploadSpool(root: root)
            let kept = try await living.create().finish()
            func leaveBehind() async throws -> String {
                let dying = try UploadSpool(root: root)
                return try await dying.create().finish().path
            }
            let orphan = try await leaveBehind()
            try FileManager.default.createDirectory(
                atPath: "\(root)/spool-without-lock", withIntermediateDirectories: false)
            _ = FileManager.default.createFile(atPath: "\(root)/somebody-else", contents: nil)
            #expect(FileManager.default.fileExists(atPath: orphan))

            let janitor = try UploadSpool(root: root)
            #expect(await janitor.removeOrphans(keeping: []) == 1)
            #expect(!FileManager.default.fileExists(atPath: orphan))
            #expect(FileManager.default.fileExists(atPath: kept.path))
            await living.close()
            await janitor.close()
            #expect(try FileManager.default.contentsOfDirectory(atPath: root) == ["somebody-else"])
        }
    }

    @Test func theJanitorKeepsTheDirectoriesFromGrowingOld() async throws {
        try await withSpoolRoot { root in
            let spool = try UploadSpool(root: root)
            let places = [root, spool.path, spool.path + ".lock"]
            let old = Date(timeIntervalSinceNow: -11 * 86_400)
            for place in places {
                try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: place)
            }
            #expect(await spool.removeOrphans(keeping: []) == 0)
            for place in places {
                let touched = try FileManager.default.attributesOfItem(atPath: place)[.modificationDate] as? Date
                #expect(try #require(touched).timeIntervalSinceNow > -86_400, "\(place)")
            }
            await spool.close()
        }
    }

    @Test func aKeptFileThatNoJobClaimsTwiceIsRemoved() async throws {
        try await withSpoolRoot { root in
            let spool = try UploadSpool(root: root)
            let claimed = try await spool.create().finish().path
            let forgotten = try await spool.create().finish().path
            let writer = try await spool.withFiles { try await $0.create().path }
            #expect(!FileManager.default.fileExists(atPath: writer))
            #expect(await spool.removeOrphans(keeping: [claimed]) == 0)
            #expect(FileManager.default.fileExists(atPath: forgotten))
            #expect(await spool.removeOrphans(keeping: [claimed]) == 1)
            #expect(!FileManager.default.fileExists(atPath: forgotten))
            #expect(await spool.removeOrphans(keeping: []) == 0)
            #expect(FileManager.default.fileExists(atPath: claimed))
        }
    }
}
