import Synchronization
import TestSupport

/// How far a streamed answer is behind the model.
enum DeltaBenchmark {
    @Sendable static func run(_ plan: BenchmarkPlan) async throws -> [Figure] {
        let times = try await lags(plan, rounds: plan.isQuick ? 5 : 200)
        let what = "first delta of a streamed answer, behind the model's: 99th percentile"
        return [.absolute(what, Percentiles(times).at(0.99), unit: "ms", atMost: 5)]
    }

    /// From the moment in which the model begins to send its first piece to the one in which the asker has read it, in
    /// milliseconds. One question after the other.
    static func lags(_ plan: BenchmarkPlan, rounds: Int) async throws -> [Double] {
        let sent = Mutex(ContinuousClock.now)
        let script: ScriptedModelServer.Script = { _, _ in
            let note = ScriptedModelServer.Step.call { sent.withLock { $0 = .now } }
            return [.streamHead, .pause(.milliseconds(5)), note, .delta("One "), .delta("two."), .finish]
        }
        return try await ScriptedModelServer.run(isKeepingRequests: false, script) { model in
            try await BenchmarkSite.run(plan, settings: model.settings) { site in
                let id = try await site.user.newConversation()
                let body: JSON = ["conversation_id": .number(Double(id)), "message": "Count"]
                var lags: [Double] = []
                for _ in 0..<rounds {
                    let events = try await site.user.chat.events(.POST, "/chat", json: body).events
                    var lag: Duration?
                    for try await event in events where event.name == "delta" && lag == nil {
                        lag = sent.withLock { $0.duration(to: .now) }
                    }
                    lags.append(try lag.orThrow("first delta") / .milliseconds(1))
                }
                return lags
            }
        }
    }
}
