import Foundation
import TestSupport
import Testing

@testable import Chaos

/// The short campaign, and the parts of it that can be looked at without one.
@Suite("Campaign")
struct CampaignTests {
    @Test(.tags(.alone)) func aCampaignOfAMinuteBreaksNoPromise() async throws {
        try await expectNoFinding(minutes: 1, kills: 7)
    }

    @Test(.tags(.alone, .release)) func aCampaignOfThreeMinutesBreaksNoPromise() async throws {
        try await expectNoFinding(minutes: 3, kills: 20)
    }

    private func expectNoFinding(minutes: Int, kills least: Int) async throws {
        let printed = try await ScriptRun.output(
            of: "Tests/chaos",
            ["--binaries", ProjectFolder.binaries.path, "--seed", "20", "--minutes", "\(minutes)"],
            atMost: .seconds(minutes * 60 + 720))
        #expect(printed.contains("| findings | 0 |"), "\(printed)")
        let kills = printed.firstMatch(of: #/\| kill -9 and restart \| (\d+)/#).flatMap { Int($0.1) } ?? 0
        #expect(kills >= least, "\(printed)")
    }

    @Test func theScheduleIsAFunctionOfTheSeed() {
        let one = FaultPlan(seed: 7, length: .seconds(600), leaseSeconds: 4)
        #expect(one == FaultPlan(seed: 7, length: .seconds(600), leaseSeconds: 4))
        #expect(one != FaultPlan(seed: 8, length: .seconds(600), leaseSeconds: 4))
        let longer = FaultPlan(seed: 7, length: .seconds(1200), leaseSeconds: 4)
        #expect(Array(longer.faults.prefix(one.faults.count)) == one.faults)
    }

    /// On every machine: the generator is ours and uses nothing of the platform's.
    @Test func theScheduleOfSeed1IsWhatItAlwaysWas() {
        let plan = FaultPlan(seed: 1, length: .seconds(10), leaseSeconds: 4)
        var random = SeededRandom(seed: 1234567)
        #expect((0..<3).map { _ in random.next() } == [6457827717110365317, 3203168211198807973, 9817491932198370423])
        #expect(
            plan.faults.map(\.kind) == [
                .modelFails, .modelVanishes, .stalledConnections, .stalledConnections, .kill, .terminatedBackends,
                .cutConnections, .cutConnections,
            ])
    }

    @Test func aLongScheduleHasEveryKindWithinItsBounds() {
        let length = Duration.seconds(1800)
        let faults = FaultPlan(seed: 3, length: length, leaseSeconds: 4).faults
        #expect(Set(faults.map(\.kind)) == Set(FaultKind.allCases))
        #expect(faults.filter { $0.kind == .kill }.count >= 300)
        #expect(faults.allSatisfy { $0.at < length && $0.lasting <= .seconds(10) })
        #expect(faults.allSatisfy { ($0.replica ?? 0) < FaultPlan.replicas })
        #expect(faults.filter { $0.kind == .sleep }.allSatisfy { $0.lasting > .seconds(4) }, "beyond the lease")
    }

    @Test func optionsAreRead() throws {
        let options = try #require(ChaosOptions(["--seed", "9", "--minutes", "2.5", "--may-mount"]))
        #expect(options.seed == 9 && options.length == .seconds(150) && options.mayMount)
        #expect(options.replay == "--seed 9 --minutes 2.5")
        for wrong in [["--seed"], ["--seed", "x"], ["--minutes", "0"], ["--else", "1"]] {
            #expect(ChaosOptions(wrong) == nil)
        }
    }

    @Test func aFindingIsShownWithWhatReplaysIt() throws {
        let options = try #require(ChaosOptions(["--seed", "9", "--minutes", "1"]))
        let summary = Summary(
            options: options, tally: [.kill: (3, 1)], promises: 2, accepted202: 1, answered200: 1,
            refusals: ["queue_full": 4], longestWait: Wait(mark: "zq000009", way: .file, seconds: 1.25),
            findings: ["zq000001: message 7 is lost"])
        #expect(summary.text.contains("| kill -9 and restart | 3 (and 1 while another fault held it) |"))
        #expect(summary.text.contains("answer | 1.3 s (file) |"))
        #expect(summary.text.contains("| refused: queue_full | 4 |"))
        #expect(summary.text.contains("FOUND: zq000001: message 7 is lost"))
        #expect(summary.text.contains("Tests/chaos --seed 9 --minutes 1.0"))
    }
}
