import Foundation
import TestSupport
import Testing

/// `Tests/side-by-side` with a stand-in for a test binary, and `Tests/report`.
@Suite("Tests side by side")
struct SideBySideTests {
    /// Lists the tests of the file beside it, and later tells of each what Swift Testing would; what a test does is in
    /// its name.
    private static let binary = #"""
        #!/usr/bin/env bash
        folder=$(dirname "$0") status=0 isSerial=0
        while [ $# -gt 0 ]; do
            case $1 in
                --list-tests) cp "$folder/tests" "$3"; exit ;;
                --event-stream-output-path) events=$2; shift 2 ;;
                --filter) tests+=("$2"); shift 2 ;;
                --no-parallel) isSerial=1; shift ;;
                *) shift ;;
            esac
        done
        tell() {
            printf '{"kind":"event","payload":{"kind":"%s","instant":{"absolute":%s},"testID":"%s",%s}}\n' \
                "$1" "$2" "$id" "\"messages\":[{\"symbol\":\"$3\",\"text\":\"a == b\"}],\"issue\":{}" >>"$events"
        }
        for test in "${tests[@]}"; do
            id=${test//[\\^$]/}
            [[ $id =~ /([A-Za-z]+) ]] && name=${BASH_REMATCH[1]}
            echo "start $name" >>"$folder/order"
            [[ $name != absent* ]] || continue
            tell testStarted 7 default
            case $name in
                dies*) exit 139 ;;
                serial*) [ "$isSerial" = 1 ] || exit 1 ;;
                parallel*) [ "$isSerial" = 0 ] || exit 1 ;;
                hangs*) sleep 60 ;;
                meets*)
                    touch "$folder/$name"
                    for _ in $(seq 200); do
                        [ ! -e "$folder/meetsA" ] || [ ! -e "$folder/meetsB" ] || break
                        sleep 0.1
                    done
                    [ -e "$folder/meetsA" ] && [ -e "$folder/meetsB" ] || exit 1 ;;
                fails*) status=1; tell issueRecorded 8 fail; tell testEnded 8 fail; continue ;;
            esac
            echo "end $name" >>"$folder/order"
            tell testEnded 8.5 pass
        done
        exit $status
        """#

    /// The exit code, output, and report of a run.
    private struct Outcome {
        let status: Int32
        let text: String
        /// The times at which tests began and ended.
        let order: [String]
        let times: String

        var last: Substring? { text.split(separator: "\n").last }
    }

    /// - Parameter tests: their target, suite and name, and their tags.
    private func run(_ tests: [(id: String, tags: String)], _ options: [String] = []) async throws -> Outcome {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let (binary, times) = (folder.url.appending(path: "binary"), folder.url.appending(path: "times"))
        try Self.binary.write(to: binary, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: binary.path)
        let records = tests.map { test in
            let kind = test.id.contains("/") ? "function" : "suite"
            let name = kind == "suite" ? test.id : test.id + "()/A.swift:1:1"
            return #"{"kind":"test","payload":{"_tags":[\#(test.tags)],"id":"\#(name)","kind":"\#(kind)"}}"#
        }
        try records.joined(separator: "\n").write(
            to: folder.url.appending(path: "tests"), atomically: true, encoding: .utf8)
        let process = try await SpawnedProcess.start(
            ProjectFolder.root.appending(path: "Tests/side-by-side"), options + ["--times", times.path, binary.path],
            name: "side-by-side", environment: ProcessInfo.processInfo.environment, directory: folder.url)
        let status = try await process.waitForExit(atMost: .seconds(60))
        for await _ in process.log.lines {}
        let order = try? String(contentsOf: folder.url.appending(path: "order"), encoding: .utf8)
        return Outcome(
            status: status, text: process.log.text, order: (order ?? "").split(separator: "\n").map(String.init),
            times: (try? String(contentsOf: times, encoding: .utf8)) ?? "")
    }

    private static let alone: (id: String, tags: String) = ("SuiteTests.Z/alone", #"".alone""#)

    @Test func whatFailsDiesHangsOrIsNotRunIsCountedAndNamed() async throws {
        let names = ["A/good", "B/fails", "C/dies", "D/hangs", "E/absent", "F/better"]
        let said = try await run(
            names.map { ("SuiteTests.\($0)", "") } + [Self.alone], ["--width", "3", "--minutes", "0.15"])
        #expect(said.status == 1)
        #expect(said.last == "3 passed, 4 failed", "\(said.text)")
        let told = said.text.split(separator: "\n").filter { $0.hasPrefix("FAILED ") }.joined(separator: "\n")
        #expect(told.contains("SuiteTests.B: failed: B/fails()") && told.contains(": a == b"))
        #expect(told.contains("SuiteTests.C: exit code 139") && told.contains("SuiteTests.C: not ended: C/dies()"))
        #expect(told.contains("SuiteTests.D: stopped after 9 seconds") && told.contains("not ended: D/hangs()"))
        #expect(told.contains("SuiteTests.E: exit code 0; 0 of 1 tests ended"), "\(told)")
        #expect(!told.contains("SuiteTests.A") && !told.contains("SuiteTests.F") && !told.contains("SuiteTests.Z"))
    }

    @Test func othersRunAtOnceAndATaggedTestOrSuiteWhenTheyHaveEnded() async throws {
        let said = try await run(
            [
                ("SuiteTests.A", #"".alone""#), ("SuiteTests.A/first", ""), Self.alone,
                ("SuiteTests.B/meetsA", #"".long""#), ("SuiteTests.B/meetsB", ""),
                ("SuiteTests.C/left", #"".release""#),
            ], ["--width", "2"])
        #expect(said.status == 0 && said.last == "4 passed, 0 failed", "\(said.text)")
        #expect(said.order.suffix(4) == ["start first", "end first", "start alone", "end alone"], "\(said.order)")
        #expect(Set(said.order.prefix(4)) == ["start meetsA", "start meetsB", "end meetsA", "end meetsB"])
        #expect(said.times.contains("test\t1.500\tSuiteTests\tB/meetsA()\n"), "\(said.times)")
        #expect(said.times.contains("\ttests alone\n"))
    }

    @Test func testsOfOneSuiteRunAtOnceOnlyWhereAllOfThemWait() async throws {
        let said = try await run(
            [
                ("SuiteTests.A", #"".waits""#), ("SuiteTests.A/parallel", ""), ("SuiteTests.B/serial", #"".waits""#),
                ("SuiteTests.B/serialToo", ""), Self.alone,
            ])
        #expect(said.status == 0 && said.last == "4 passed, 0 failed", "\(said.text)")
    }

    @Test func theTestsOfAReleaseAreRunWhenAsked() async throws {
        let said = try await run([("SharedTests.A/left", #"".release""#), Self.alone], ["--all"])
        #expect(said.status == 0 && said.last == "2 passed, 0 failed", "\(said.text)")
    }

    /// Otherwise a Swift Testing that tells of tags in another way would set all tests beside each other.
    @Test func nothingIsRunWhenNoTagIsTold() async throws {
        let said = try await run([("SuiteTests.A/good", "")])
        #expect(said.status == 1 && said.order == [], "\(said.text)")
    }

    @Test func theReportHasTheStepsAndTheSlowestTestsOfBothKinds() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let (times, log) = (folder.url.appending(path: "times"), folder.url.appending(path: "log"))
        let tests = (1...30).map { "test\t0.\($0)\tSharedTests\tquick\($0)()\n" }.joined()
        try ("step\t12600e-3\tbuild\n" + tests + "test\t3.2\tSuiteTests\tslow()\nstep\t7\tbrowser\n").write(
            to: times, atomically: true, encoding: .utf8)
        try "== slowest durations ==\n1.50s setup    a.py::test_a[x y]\n2.00s call     a.py::test_a[x y]\n".write(
            to: log, atomically: true, encoding: .utf8)
        let text = try await ScriptRun.output(of: "Tests/report", [times.path, log.path])
        let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }
        for line in ["13  build", "7  browser", "20  all", "3  SuiteTests: 1"] {
            #expect(lines.contains(Substring(line)), "\(line) in \(text)")
        }
        let slowest = Array(lines.drop { !$0.hasPrefix("seconds  of the 25 ") }.dropFirst())
        #expect(slowest.count == 25)
        #expect(slowest.prefix(2) == ["3.5  browser: a.py::test_a[x y]", "3.2  SuiteTests: slow()"], "\(slowest)")
    }
}
