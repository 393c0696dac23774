import Foundation
import TestSupport
import Testing

/// `deploy/build.bash`, with a compiler that does what the test says.
@Suite("A build")
struct BuildTests {
    @Test func saysHowFarItIs() async throws {
        try await withBuild(of: Self.twoSteps) { folder in
            let build = try await start(Self.script, in: folder)
            try await step("[1/2] Compiling NIOCore Channel.swift", of: build, in: folder)
            try await step("[2/2] Linking ChatService", of: build, in: folder)
            #expect(try await build.waitForExit(atMost: .seconds(60)) == 0)
            for await _ in build.log.lines {}
            #expect(build.log.text.contains(#/\nbuilt in 0:\d\d$/#), "\(build.log.text)")
        }
    }

    @Test func rewritesOneLineOnATerminal() async throws {
        try await withBuild(of: Self.twoSteps) { folder in
            let screen = folder.url.appending(path: "screen")
            let build = try await SpawnedProcess.start(
                URL(filePath: "/usr/bin/script"), ["-qefc", "bash -euc '\(Self.script)'", screen.path],
                name: "script", environment: environment(of: folder).merging(["TERM": "xterm"]) { $1 },
                directory: ProjectFolder.root)
            for text in ["[1/2] Compiling NIOCore Channel.swift", "[2/2] Linking ChatService"] {
                _ = try await polling(for: text, atMost: .seconds(60)) {
                    let shown = (try? String(contentsOf: screen, encoding: .utf8)) ?? ""
                    return shown.contains(
                        try Regex(#"\r\x1B\[Kbuilding, 0:\d\d  "# + NSRegularExpression.escapedPattern(for: text)))
                        ? true : nil
                }
                try goOn(folder)
            }
            #expect(try await build.waitForExit(atMost: .seconds(60)) == 0)
            let shown = try String(contentsOf: screen, encoding: .utf8)
            let progress = try shown.firstMatch(of: #/building, .*Linking ChatService/#.dotMatchesNewlines())
                .orThrow("the progress").output
            #expect(!progress.contains { $0.isNewline && $0 != "\r" }, "\(shown.debugDescription)")
        }
    }

    /// Through `deploy/run` itself, which has no programs then.
    @Test func thatFailsShowsItsErrorsAndKeepsItsExitCode() async throws {
        let compiler = """
            echo '[1/2] Compiling Shared Clock.swift'
            echo 'Clock.swift:1:1: error: cannot find type'
            echo '  |- note: in full' >&2
            echo '[2/2] Compiling ChatService Main.swift'
            exit 7
            """
        try await withBuild(of: compiler) { folder in
            let run = try await SpawnedProcess.start(
                ProjectFolder.root.appending(path: "deploy/run"), name: "deploy/run",
                environment: environment(of: folder), directory: ProjectFolder.root)
            #expect(try await run.waitForExit(atMost: .seconds(120)) == 7)
            for await _ in run.log.lines {}
            let log = folder.url.appending(path: "log/build.log")
            #expect(run.log.text.contains("with exit code 7; \(log.path) has all of its output"), "\(run.log.text)")
            #expect(run.log.text.hasSuffix("\nClock.swift:1:1: error: cannot find type\n  |- note: in full"))
            #expect(try String(contentsOf: log, encoding: .utf8).contains("\n[2/2] Compiling ChatService"))
        }
    }

    /// As SwiftPM does it: each compiler has a process group of its own. One of them does not listen.
    @Test(arguments: zip([SIGINT, SIGTERM], [130, 143] as [Int32]))
    func thatIsInterruptedLeavesNothingRunning(signal: Int32, status: Int32) async throws {
        let compiler = """
            set -m
            for trap in : "trap '' TERM INT"; do
                bash -c "$trap; echo '[1/2] Compiling NIOCore'; while :; do sleep 1; done" "$FOLDER/compiler" &
            done
            wait
            """
        try await withBuild(of: compiler) { folder in
            let build = try await start("build_stop_seconds=1; " + Self.script, in: folder)
            _ = try await polling(for: "two compilers", atMost: .seconds(60)) {
                try compilers(in: folder) == 2 ? true : nil
            }
            build.signal(signal)
            #expect(try await build.waitForExit(atMost: .seconds(60)) == status)
            #expect(try compilers(in: folder) == 0)
        }
    }

    private static let script =
        "build_line_seconds=1; . deploy/build.bash; run_build \"$FOLDER/log/build.log\" swift build"
    /// Each step lasts until the test takes the file of the step away.
    private static let twoSteps = """
        for step in '[1/2] Compiling NIOCore Channel.swift' '[2/2] Linking ChatService'; do
            touch "$FOLDER/step"
            echo "$step"
            while [ -e "$FOLDER/step" ]; do sleep 0.05; done
        done
        """

    /// A folder with a `swift` that says it is a new one, and builds as `compiler` does.
    private func withBuild(of compiler: String, _ body: (TemporaryFolder) async throws -> Void) async throws {
        let folder = try TemporaryFolder(sharedWithOthers: true)
        defer { folder.remove() }
        let swift = folder.url.appending(path: "swift")
        let version = "[ \"$1\" != --version ] || { echo 'Swift version 6.3.1'; exit; }"
        try Data("#!/bin/bash\n\(version)\n\(compiler)\n".utf8).write(to: swift)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: swift.path)
        try await body(folder)
    }

    private func environment(of folder: TemporaryFolder) -> [String: String] {
        let ports = ["AUTH_PORT": 14_000, "CHAT_PORT": 17_000, "WEB_PORT": 11_000]
            .mapValues { "\($0 + Int.random(in: 0..<3000))" }
        let path = "\(folder.url.path):/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        return ports.merging(["PATH": path, "FOLDER": folder.url.path, "PARLEY_STATE": folder.url.path]) { $1 }
    }

    private func start(_ script: String, in folder: TemporaryFolder) async throws -> SpawnedProcess {
        try await SpawnedProcess.start(
            URL(filePath: "/bin/bash"), ["-euc", script], name: "the build", environment: environment(of: folder),
            directory: ProjectFolder.root)
    }

    /// Waits until the build says that it is at this step, and lets it go on.
    private func step(_ text: String, of build: SpawnedProcess, in folder: TemporaryFolder) async throws {
        _ = try await build.line(text, atMost: .seconds(60)) { line in
            line.hasSuffix("  " + text) && line.contains(#/^building, 0:\d\d  /#) ? true : nil
        }
        try goOn(folder)
    }

    private func goOn(_ folder: TemporaryFolder) throws {
        try FileManager.default.removeItem(at: folder.url.appending(path: "step"))
    }

    private func compilers(in folder: TemporaryFolder) throws -> Int {
        try DeployTests().processes(named: "/compiler", of: folder.url).count
    }
}
