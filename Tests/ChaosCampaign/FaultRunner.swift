import Foundation
import Synchronization
import TestSupport

/// Carries out the schedule.
final class FaultRunner: Sendable {
    let site: ChaosSite
    private let counts = Mutex<[FaultKind: (done: Int, missed: Int)]>([:])
    private let failed = Mutex<[String]>([])
    private let isDatabaseRestarting = Mutex(false)

    init(site: ChaosSite) { self.site = site }

    /// How often each kind took place, and how often it found its replica in the hands of another fault.
    var tally: [FaultKind: (done: Int, missed: Int)] { counts.withLock { $0 } }

    /// Faults that could not be made: a campaign without them proves less than it says.
    var failures: [String] { failed.withLock { $0 } }

    /// Returns when the last fault is over and everything is as it should be again.
    func run(_ plan: FaultPlan) async throws {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for fault in plan.faults {
                group.addTask {
                    try await Task.sleep(until: start + fault.at, clock: .continuous)
                    self.site.promises.note("fault: \(fault)")
                    let isDone: Bool
                    do { isDone = try await self.carryOut(fault) } catch {
                        self.failed.withLock { $0.append("fault not made: \(fault): \(error)") }
                        return
                    }
                    self.counts.withLock { counts in
                        let (done, missed) = counts[fault.kind] ?? (0, 0)
                        counts[fault.kind] = (done + (isDone ? 1 : 0), missed + (isDone ? 0 : 1))
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func carryOut(_ fault: PlannedFault) async throws -> Bool {
        guard let number = fault.replica else { return try await carryOutOnAll(fault) }
        let (replica, proxy) = (site.replicas[number], site.proxies[number])
        switch fault.kind {
        case .kill: return try await replica.occupied { try await $0.kill(awayFor: fault.lasting) }
        case .stop: return try await replica.occupied { try await $0.restart() }
        case .sleep: return try await replica.occupied { try await $0.sleep(for: fault.lasting) }
        case .cutConnections: proxy.cut()
        case .stalledConnections:
            proxy.hold()
            try await Task.sleep(for: fault.lasting)
            proxy.resume()
        case .blackHole:
            proxy.hold()
            try await Task.sleep(for: fault.lasting)
            // What was held back never arrives.
            proxy.cut()
            proxy.resume()
        case .clockShift:
            try site.clocks[number].shift(bySeconds: fault.amount)
            try await Task.sleep(for: fault.lasting)
            try site.clocks[number].shift(bySeconds: 0)
        case .spoolFull:
            let spool = site.spools[number]
            try await spool.fill(process: await replica.processID)
            try await Task.sleep(for: fault.lasting)
            try await spool.empty(process: await replica.processID)
        default: return false
        }
        return true
    }

    private func carryOutOnAll(_ fault: PlannedFault) async throws -> Bool {
        switch fault.kind {
        case .databaseRestart:
            let isFree = isDatabaseRestarting.withLock { isRestarting in
                defer { isRestarting = true }
                return !isRestarting
            }
            guard isFree else { return false }
            defer { isDatabaseRestarting.withLock { $0 = false } }
            try await site.postgres.restart(immediately: true)
        case .terminatedBackends:
            // Away at the moment, perhaps: then there is nothing to terminate.
            let killed = try? await site.database.query(
                """
                select count(pg_terminate_backend(pid)) from pg_stat_activity
                where application_name = 'parley-chat' and random() * 100 < \(fault.amount)::int
                """)
            return killed != nil
        case .modelHangs: try await mood(.hangs, fault)
        case .modelFails: try await mood(.fails, fault)
        case .modelTruncates: try await mood(.truncates, fault)
        case .modelRefuses: try await mood(.refuses, fault)
        case .modelVanishes: try await mood(.vanishes, fault)
        default: return false
        }
        return true
    }

    private func mood(_ mood: ChaosModel.Mood, _ fault: PlannedFault) async throws {
        let number = site.model.fall(into: mood)
        try await Task.sleep(for: fault.lasting)
        site.model.recover(from: number)
    }
}
