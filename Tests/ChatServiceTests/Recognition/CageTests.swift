import CLinux
import Foundation
import TestSupport
import Testing

@testable import ChatService

@Suite("The cage, tried from inside")
struct CageTests {
    /// What `recognize check` reports.
    private func report() async throws -> [String: String] {
        let settings = recognitionSettings()
        let process = try await SpawnedProcess.start(
            URL(filePath: settings.executable), [RecognitionChild.argument, CageCheck.argument], name: "check",
            environment: ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"],
            directory: URL(filePath: "/"))
        // The last line comes when everything was tried.
        _ = try await process.line("the last attempt") { $0.hasPrefix("variables:") ? true : nil }
        let pairs = process.log.text.split(separator: "\n").compactMap { line -> (String, String)? in
            let parts = line.split(separator: ":", maxSplits: 1)
            return parts.count == 2 ? (String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces)) : nil
        }
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }

    @Test func whatHoldsOnEveryLinuxHolds() async throws {
        let report = try await report()
        #expect(report["new privileges"] == "refused")
        #expect(report["memory"] == "refused")
        #expect(report["write"] == "refused")
        #expect(report["environment of the parent"] == "refused")
        #expect(report["user"] == "other")
        #expect(report["signal to the parent"] == "refused")
        // It grows up to its limit, of which it has taken some already, and no further.
        let megabytes = try #require(report["megabytes"].flatMap { Int($0) })
        #expect((500..<(Confinement.addressSpaceBytes >> 20)).contains(megabytes))
        #expect((60...70).contains(report["processor seconds"].flatMap { Int($0) } ?? 0))
        #expect(report["core"] == "0")
        #expect(report["file"] == "0")
        #expect(report["descriptors"] == "\(Confinement.descriptors)")
        #expect(report["niceness"].flatMap { Int($0) } ?? 0 >= Int(Confinement.niceness))
    }

    @Test func noSystemCallOpensAWayOut() async throws {
        let report = try await report()
        for attempt in ["socket", "socketpair", "ptrace", "unshare"] {
            #expect(report[attempt] == "refused", "\(attempt)")
        }
    }

    /// Landlock is part of a kernel or not; where it is, it has to hold.
    @Test func noFileOutsideCanBeReadWhereTheKernelHasLandlock() async throws {
        let hasLandlock = parley_syscall(Int(SYS_landlock_create_ruleset), 0, 0, 1, 0) > 0
        let report = try await report()
        #expect(report["read"] == (hasLandlock ? "refused" : "possible"))
        guard hasLandlock else { return }
        for attempt in ["write in its own folder", "write in shared memory", "make a folder", "link"] {
            #expect(report[attempt] == "refused", "\(attempt)")
        }
    }

    /// Where users may have namespaces, the child's processes are counted.
    @Test func itCannotForkWithoutEndWhereUsersHaveNamespaces() async throws {
        let unshare = try await SpawnedProcess.start(
            URL(filePath: "/usr/bin/setpriv"),
            ["--reuid", "65534", "--clear-groups", "unshare", "--user", "true"], name: "unshare",
            environment: ["PATH": "/usr/bin:/bin"], directory: URL(filePath: "/"))
        let hasNamespaces = try await unshare.waitForExit(atMost: .seconds(10)) == 0
        let children = try await report()["children"].flatMap { Int($0) }
        #expect(children == (hasNamespaces ? Confinement.processes - 1 : 100))
    }

    @Test func theChildLearnsNothingOfTheServicesEnvironment() async throws {
        setenv("PARLEY_CAGE_SECRET", "secret", 1)
        try await withRecognizer { recognizer in
            _ = try await recognizer.open(path: Fixture("documents/note_utf8.txt").file.path, type: .text)
            let child = try #require(await recognizer.childProcessID)
            // The child is not dumpable: only root may look, others see nothing at all.
            let environment = (try? Data(contentsOf: URL(filePath: "/proc/\(child)/environ"))) ?? Data()
            let names = environment.split(separator: 0).map { String(decoding: $0.prefix { $0 != 61 }, as: UTF8.self) }
            let known: Set = [
                "LANG", "OMP_THREAD_LIMIT", "MALLOC_ARENA_MAX", "SWIFT_BACKTRACE", "OCR_LANGUAGES", "OCR_PAGE_SECONDS",
                "RECOGNIZER_PARENT", "PATH", "LD_LIBRARY_PATH", "TESSDATA_PREFIX",
            ]
            #expect(known.isSuperset(of: names))
        }
    }
}
