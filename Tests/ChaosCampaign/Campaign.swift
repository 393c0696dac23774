import Foundation
import TestSupport

/// One campaign from its start to its verdict.
enum Campaign {
    /// How long the queue may take to drain after the last fault: pauses between tries of one job reach a minute.
    static let drainLimit: Duration = .seconds(180)

    static func run(_ options: ChaosOptions, folder: URL) async throws -> Summary {
        let plan = FaultPlan(seed: options.seed, length: options.length, leaseSeconds: ChaosSite.leaseSeconds)
        return try await ChaosSite.run(options, folder: folder) { site in
            let traffic = try await Traffic(site: site, seed: options.seed)
            let hygiene = try await Hygiene(site: site)
            let runner = FaultRunner(site: site)
            say("\(plan.faults.count) faults in \(options.length)")
            async let clients: Void = traffic.run(for: options.length)
            try await runner.run(plan)
            await clients
            say("faults are over: \(site.promises.all.count) questions were sent")
            var findings = runner.failures
            let atRest = try await rest(site)
            findings += atRest.findings
            findings += await retryAll(site, traffic)
            let state = try await FinalState.read(site.database)
            findings += Judgement(promises: site.promises.all, stored: state.messages).findings
            findings += state.messages.filter { $0.isQuestion && $0.status != "completed" }.map {
                "message \($0.id) is \($0.status) (\($0.errorCode ?? "-")) although the model is well"
            }
            findings += state.leftovers + (await hygiene.findings())
            for replica in site.replicas {
                try await replica.stop()
                findings += await replica.findings
            }
            findings += await hygiene.findingsAtEnd()
            findings += site.promises.faults
            return Summary(
                options: options, tally: runner.tally, promises: site.promises.all.count,
                accepted202: site.promises.accepted202, answered200: site.promises.answered200,
                refusals: site.promises.refusals, longestWait: atRest.longestWait, findings: findings)
        }
    }

    /// Waits for the end of all work, and judges it as it is: with failures that the model's outages explain.
    private static func rest(_ site: ChaosSite) async throws -> (findings: [String], longestWait: Wait) {
        for replica in site.replicas {
            do { try await ChaosSite.waitUntilReady(replica.place.port) } catch {
                return (
                    ["replica \(replica.place.number) is not ready a minute after the last fault: \(error)"], Wait()
                )
            }
        }
        let left = try await FinalState.drain(site.database, atMost: drainLimit)
        if left > 0 { return (["\(left) jobs are not done \(drainLimit) after the last fault"], Wait()) }
        let state = try await FinalState.read(site.database)
        let judgement = Judgement(promises: site.promises.all, stored: state.messages)
        return (judgement.findings.map { "before retries: \($0)" }, judgement.longestWait)
    }

    /// What failed or was cancelled is retried by its asker; the model is well, so everything must be completed then.
    private static func retryAll(_ site: ChaosSite, _ traffic: Traffic) async -> [String] {
        do {
            let state = try await FinalState.read(site.database)
            var findings: [String] = []
            for message in state.messages where message.isQuestion && ["failed", "cancelled"].contains(message.status) {
                guard let mark = ChaosModel.mark(in: message.content), let owner = traffic.owner(of: mark) else {
                    continue
                }
                site.promises.touched(mark)
                let reply = try await owner.post("/messages/\(message.id)/retry")
                if reply.status != 202 { findings.append("retry of message \(message.id): \(reply)") }
            }
            let left = try await FinalState.drain(site.database, atMost: drainLimit)
            if left > 0 { findings.append("\(left) jobs are not done \(drainLimit) after they were retried") }
            return findings
        } catch {
            return ["retries: \(error)"]
        }
    }

    static func say(_ text: String) { FileHandle.standardError.write(Data("chaos: \(text)\n".utf8)) }
}
