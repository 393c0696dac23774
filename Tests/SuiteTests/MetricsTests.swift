import Foundation
import TestSupport
import Testing

/// `/metrics` of a replica that has its hands full.
@Suite("Metrics")
struct MetricsTests {
    private static let running = #"parley_jobs{stage="recognize",state="running"}"#
    private static let waiting = #"parley_jobs{stage="recognize",state="waiting"}"#
    private static let answering = #"parley_jobs{stage="answer",state="running"}"#
    private static let unanswered = #"parley_jobs{stage="answer",state="waiting"}"#
    private static let calls = "llm_calls_in_flight"

    @Test func tellOfJobsByTheirStateOfCallsAndOfConnectionsWhileWorkIsHeldAndAfterwards() async throws {
        try await ScriptedModelServer.run(replies: [[.hang]]) { model in
            // The stopped child is not to be taken for one that hangs.
            let settings = model.settings.merging(["OCR_PAGE_SECONDS": "600"]) { $1 }
            try await KillSite.with(settings: settings) { site in
                let child = try await site.uploadUpToPageThree()
                // The only slot is taken: this file waits.
                try await site.upload("documents/note_utf8.txt")
                let asked = Task { try await site.ask() }
                await model.waitForRequests(1)
                let held = [Self.running: 1.0, Self.waiting: 1, Self.answering: 1, Self.unanswered: 0, Self.calls: 1]
                try await expect(held, at: site.victim)

                let text = try await site.victim.client.get("/metrics").text
                let connections = ["open", "idle", "connecting"].map { state in
                    value(of: "parley_database_connections{state=\"\(state)\"}", in: text) ?? -1
                }
                let (open, idle, connecting) = (connections[0], connections[1], connections[2])
                #expect(open >= 1 && open + connecting <= 6, "of DATABASE_CONNECTIONS: \(connections)")
                #expect(idle >= 0 && idle <= open && connecting >= 0, "\(connections)")

                #expect(try await site.user.chat.send(.DELETE, "/conversations/\(site.conversation)").status == 204)
                _ = try? await asked.value
                try await expect(held.mapValues { _ in 0 }, at: site.victim)
                try await site.expectNothingLeft(children: [child])
            }
        }
    }

    /// Jobs are counted every ten seconds.
    private func expect(_ values: [String: Double], at service: SpawnedService) async throws {
        _ = try await polling(for: "\(values)", atMost: .seconds(60), every: .milliseconds(200)) {
            let text = try await service.client.get("/metrics").text
            return values.allSatisfy { value(of: $0.key, in: text) == $0.value } ? true : nil
        }
    }

    /// - Parameter series: the name with its labels.
    private func value(of series: String, in text: String) -> Double? {
        let line = text.split(separator: "\n").first { $0.hasPrefix(series + " ") }
        return line.flatMap { Double($0.dropFirst(series.count + 1)) }
    }
}
