import Foundation
import TestSupport

/// What a campaign must not leave behind.
struct Hygiene: Sendable {
    let site: ChaosSite
    /// Descriptors of each replica when it was warm and at rest, without those to PostgreSQL, whose number its pool
    /// bounds.
    let descriptors: Int

    /// Measures what is normal, before the first fault.
    init(site: ChaosSite) async throws {
        self.site = site
        var most = 0
        for index in site.replicas.indices { most = max(most, await Self.descriptors(of: index, site)) }
        descriptors = most
    }

    /// While the replicas are at rest and alive.
    func findings() async -> [String] {
        // Connections to nginx and the model are kept for some time, and are then closed.
        await settled(within: .seconds(90)) { await unsettled() }
    }

    /// After the replicas were stopped in order.
    func findingsAtEnd() async -> [String] {
        await settled(within: .seconds(10)) {
            var found = await survivors()
            for (index, spool) in site.spools.enumerated() where !spool.leftovers.isEmpty {
                found.append("replica \(index) left \(spool.leftovers) in UPLOAD_DIR when it ended")
            }
            return found
        }
    }

    /// Asks again until nothing is found or the time is up.
    private func settled(within limit: Duration, _ look: () async -> [String]) async -> [String] {
        let end = ContinuousClock.now + limit
        while true {
            let found = await look()
            if found.isEmpty || ContinuousClock.now >= end { return found }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    private func unsettled() async -> [String] {
        var found = await survivors()
        for (index, replica) in site.replicas.enumerated() {
            let files = site.spools[index].files
            if !files.isEmpty { found.append("UPLOAD_DIR of replica \(index) holds \(files)") }
            let open = await Self.descriptors(of: index, site)
            // The model's connections of the warm state may have been fewer than the pool may keep.
            if open > descriptors + 8 {
                found.append("replica \(index) has \(open) descriptors, \(descriptors) at first")
            }
            guard let process = await replica.processID else {
                found.append("replica \(index) does not run")
                continue
            }
            let children = ProcessFacts.children(of: process).count
            if children > 1 { found.append("replica \(index) has \(children) children for one slot") }
        }
        return found
    }

    private func survivors() async -> [String] {
        var found: [String] = []
        for (index, replica) in site.replicas.enumerated() {
            let survivors = await replica.survivors
            if !survivors.isEmpty { found.append("children of dead replica \(index) live: \(survivors.map(\.id))") }
        }
        return found
    }

    private static func descriptors(of index: Int, _ site: ChaosSite) async -> Int {
        guard let process = await site.replicas[index].processID else { return 0 }
        return ProcessFacts.descriptors(of: process, exceptConnectionsTo: site.proxies[index].port)
    }
}
