import Foundation
import TestSupport
import Testing

/// `deploy/Dockerfile` against the repository and the programs. No test builds the images.
@Suite("deploy/Dockerfile")
struct ImageTests {
    private let stages: [String: [String]]

    init() throws {
        let file = try String(contentsOf: ProjectFolder.root.appending(path: "deploy/Dockerfile"), encoding: .utf8)
        let lines = file.replacing("\\\n", with: " ").split(separator: "\n").map(String.init)
        var stages: [String: [String]] = [:]
        var stage = ""
        for line in lines where !line.hasPrefix("#") {
            if line.hasPrefix("FROM ") { stage = line.split(separator: " ").last.map(String.init) ?? "" }
            stages[stage, default: []].append(line)
        }
        self.stages = stages
    }

    /// A clone has nothing else: `Package.resolved`, for one, is ignored.
    @Test func copiesOnlyWhatIsInTheRepository() async throws {
        #expect(Set(stages.keys) == ["build", "services", "web"])
        let copies = stages.values.joined().filter { $0.hasPrefix("COPY ") && !$0.contains("--from=") }
        #expect(copies.count >= 5)
        for copy in copies {
            for source in copy.split(separator: " ").dropFirst().dropLast() {
                let tracked = try await output(of: "git", ["-c", "safe.directory=*", "ls-files", "--", String(source)])
                #expect(!tracked.isEmpty, "\(copy): \(source) is not in the repository")
            }
        }
    }

    /// A link is copied as a link; what it leads to has to be there as well.
    @Test func copiesWhatTheLinksInSourcesLeadTo() async throws {
        let build = try stages["build"].orThrow("the stage")
        let links = try await output(of: "git", ["-c", "safe.directory=*", "ls-files", "--stage", "Sources"])
            .split(separator: "\n").filter { $0.hasPrefix("120000 ") }
        #expect(!links.isEmpty)
        let root = ProjectFolder.root.resolvingSymlinksInPath().path + "/"
        for link in links {
            let path = try link.split(separator: "\t").last.orThrow("path")
            let target = ProjectFolder.root.appending(path: path).resolvingSymlinksInPath().path
            try #require(target.hasPrefix(root), "\(path)")
            let inside = target.dropFirst(root.count)
            #expect(inside.hasPrefix("Sources/") || build.contains("COPY \(inside) \(inside)"), "\(path): \(inside)")
        }
    }

    @Test func buildsWithThePackagesThatDeployRunBuildsWith() throws {
        let build = try stages["build"].orThrow("the stage")
        #expect(build.contains("COPY deploy/install-packages /usr/local/bin/"))
        #expect(build.contains("RUN install-packages build"))
        #expect(!build.contains { $0.contains("apt-get") }, "a second list of packages")
        #expect(build.contains { $0.hasPrefix("RUN swift build -c release ") && $0.contains(" --target Services ") })
    }

    /// Named there, or brought along by one that is; what Debian's own image has needs no mention.
    @Test func runsWithThePackagesThatTheProgramsLink() async throws {
        let installed = try stages["services"].orThrow("the stage").filter { $0.contains("apt-get install") }
            .joined().split(separator: " ").map(String.init).filter { $0.hasPrefix("lib") }
        let depends = try await output(of: "dpkg-query", ["-W", "-f", "${Depends}, "] + installed)
        let brought = depends.split(separator: ", ").map { String($0.prefix { $0 != " " && $0 != ":" }) }
        let inEveryImage: Set = ["libc6", "libgcc-s1", "libstdc++6", "zlib1g"]
        var packages: Set<String> = []
        for program in ["AuthService", "ChatService"] {
            let path = ProjectFolder.binaries.appending(path: program).path
            let needed = try await output(of: "objdump", ["-p", path]).matches(of: #/NEEDED +(\S+)/#).map(\.1)
            for line in try await output(of: "ldd", [path]).matches(of: #/(\S+) => (\S+)/#) {
                // A debug build links Swift's own libraries too; those are no part of Debian.
                guard needed.contains(line.1), !line.2.contains("/swift/") else { continue }
                packages.insert(try await package(of: String(line.1)))
            }
        }
        #expect(packages.isSuperset(of: ["libpq5", "libc6"]), "\(packages)")
        #expect(packages.subtracting(inEveryImage).subtracting(installed + brought) == [])
    }

    /// The Debian package that a library of this name is from.
    private func package(of library: String) async throws -> String {
        let owners = try await output(of: "dpkg-query", ["-S", "*/\(library)"]).split(separator: "\n")
        let system = owners.first { $0.contains(#/ (?:/usr)?/lib/[a-z0-9_]+-linux-gnu/[^/]+$/#) }
        return try String(system.orThrow("the package of \(library)").prefix { $0 != ":" })
    }

    private func output(of program: String, _ arguments: [String]) async throws -> String {
        let process = try await SpawnedProcess.start(
            URL(filePath: "/usr/bin/env"), [program] + arguments, name: program,
            environment: ProcessInfo.processInfo.environment, directory: ProjectFolder.root)
        let status = try await process.waitForExit(atMost: .seconds(60))
        for await _ in process.log.lines {}
        guard status == 0 else { throw ProcessEnded(name: program, log: process.log.text) }
        return process.log.text
    }
}
