import Foundation
import TestSupport

/// What the service does with more than it can do.
enum OverloadBenchmark {
    /// The 202 of uploads while every recognizing slot is busy.
    @Sendable static func uploads(_ plan: BenchmarkPlan) async throws -> [Figure] {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return try await BenchmarkSite.run(plan, settings: ["OCR_WORKERS": "\(cores)"]) { site in
            let id = try await site.user.newConversation()
            var work: [Int] = []
            for _ in 0..<(plan.isQuick ? 2 : cores * 8) {
                work.append(try await site.user.upload([Fixture("documents/scan_mixed_5pages.pdf")], to: id))
            }
            let first = work[0]
            _ = try await polling(for: "busy slots", atMost: .seconds(60)) {
                try await site.user.chat.get("/messages/\(first)").json["progress"]["stage"] == "recognizing"
                    ? true : nil
            }
            var form = MultipartForm(fields: [("conversation_id", "\(id)")])
            form.add(file: "large.txt", bytes: Data(repeating: UInt8(ascii: "a"), count: 1 << 20))
            var times: [Double] = []
            for _ in 0..<(plan.isQuick ? 3 : 100) {
                let (reply, time) = try await timed { try await site.user.chat.post("/chat/file", form) }
                work.append(try reply.json["message_id"].int.orThrow("message_id in \(reply)"))
                times.append(time * 1000)
            }
            let isBusy = try await site.user.chat.get("/messages/\(work[work.count - 1])").json["status"]
            if !plan.isQuick && isBusy != "processing" { throw SuiteFault(description: "the slots ran out of work") }
            for message in work { _ = try await site.user.chat.send(.POST, "/messages/\(message)/cancel") }
            let what = "202 for an upload of 1 MiB, every slot busy: 99th percentile"
            return [.absolute(what, Percentiles(times).at(0.99), unit: "ms", atMost: 250)]
        }
    }

    /// How many questions at once the model takes, and how long it takes for each.
    private static let (modelSlots, modelSeconds) = (16, 0.5)

    /// Ten times as many questions as the model can answer.
    @Sendable static func questions(_ plan: BenchmarkPlan) async throws -> [Figure] {
        let answer = [.pause(.seconds(modelSeconds))] + ScriptedModelServer.answer("Yes.")
        return try await ScriptedModelServer.run(isKeepingRequests: false, { _, _ in answer }) { model in
            let bounds = ["LLM_CONCURRENCY": "\(modelSlots)", "QUEUE_JOBS_MAX": "64", "LLM_FIRST_TOKEN_SECONDS": "30"]
            let settings = model.settings.merging(bounds) { $1 }
            return try await BenchmarkSite.run(plan, settings: settings) { site in
                let id = try await site.user.newConversation()
                let body: JSON = ["conversation_id": .number(Double(id)), "message": "Is it so?"]
                let capacity = try await closedLoop(site, body, seconds: plan.isQuick ? 2 : 10)
                let load = try await openLoop(
                    site, body, perSecond: capacity * 10, seconds: plan.isQuick ? 2 : 120)
                let (_, recovery) = try await timed {
                    try await polling(for: "an answer after the overload", atMost: .seconds(60)) {
                        try await site.user.chat.post("/chat", body).status == 200 ? true : nil
                    }
                }
                let peak = try Double(site.suite.chats[0].peakResidentBytes) / 1_000_000
                return figures(load, capacity: capacity, recovery: recovery, peak: peak)
            }
        }
    }

    /// What came of an offered load.
    struct Load: Sendable {
        var offered = 0
        var answered = 0
        /// Milliseconds of each refusal.
        var refusals: [Double] = []
        /// Refusals without `Retry-After`, and everything that is neither an answer nor a refusal.
        var faults = 0
        var seconds = 0.0
    }

    private static func figures(_ load: Load, capacity: Double, recovery: Double, peak: Double) -> [Figure] {
        let accepted = Double(load.answered) / load.seconds
        let refused = Percentiles(load.refusals).at(0.5)
        let offered = Double(load.offered) / load.seconds
        return [
            .ratio("questions offered : capacity", offered, to: capacity, unit: "/s", .atLeast(9.5)),
            .ratio("answered at ten times the capacity : capacity", accepted, to: capacity, unit: "/s", .atLeast(0.9)),
            .absolute("\(load.refusals.count) refusals in that time: median", refused, unit: "ms", atMost: 50),
            .absolute("refusals without Retry-After, and failures", Double(load.faults), unit: "", atMost: 0),
            .absolute("first answer after the overload", recovery, unit: "s", atMost: 30),
            .absolute("ChatService in that time: peak, resident", peak, unit: "MB", atMost: 150),
        ]
    }

    /// As many askers as the model has slots, and some more: what can be answered in a second.
    private static func closedLoop(_ site: BenchmarkSite, _ body: JSON, seconds: Int) async throws -> Double {
        let client = site.user.chat
        let end = ContinuousClock.now + .seconds(seconds)
        let answered = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<(modelSlots + 8) {
                group.addTask {
                    var count = 0
                    while ContinuousClock.now < end {
                        let reply = try await client.post("/chat", body)
                        guard reply.status == 200 else { throw SuiteFault(description: "\(reply)") }
                        if ContinuousClock.now < end { count += 1 }
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        return Double(answered) / Double(seconds)
    }

    /// Questions at a fixed rate, whatever becomes of them.
    private static func openLoop(
        _ site: BenchmarkSite, _ body: JSON, perSecond: Double, seconds: Int
    ) async throws -> Load {
        let client = site.user.chat
        let start = ContinuousClock.now
        return await withTaskGroup(of: Load.self) { group in
            var load = Load()
            for number in 0..<Int(perSecond * Double(seconds)) {
                try? await Task.sleep(until: start + .seconds(Double(number) / perSecond), clock: .continuous)
                group.addTask { await ask(client, body) }
                // What has ended is taken out as it goes, so that a long load needs no memory.
                if number >= 256, let one = await group.next() { load.add(one) }
            }
            load.offered = Int(perSecond * Double(seconds))
            load.seconds = (ContinuousClock.now - start) / .seconds(1)
            for await one in group { load.add(one) }
            return load
        }
    }

    private static func ask(_ client: ServiceClient, _ body: JSON) async -> Load {
        var load = Load()
        guard let (reply, time) = try? await timed({ try await client.post("/chat", body) }) else {
            load.faults = 1
            return load
        }
        switch reply.status {
        case 200: load.answered = 1
        case 429, 503:
            load.refusals = [time * 1000]
            if reply.headers.first(name: "Retry-After").flatMap({ Int($0) }) == nil { load.faults = 1 }
        default: load.faults = 1
        }
        return load
    }

    /// Seconds that `body` took, with what it gave.
    private static func timed<R>(_ body: () async throws -> R) async rethrows -> (R, Double) {
        let start = ContinuousClock.now
        let result = try await body()
        return (result, (ContinuousClock.now - start) / .seconds(1))
    }
}

extension OverloadBenchmark.Load {
    fileprivate mutating func add(_ other: Self) {
        answered += other.answered
        refusals += other.refusals
        faults += other.faults
    }
}
