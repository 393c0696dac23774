import Foundation
import NIOCore
import TestSupport

/// What ChatService takes of a machine: time to start, and memory at rest, under many questions and under many uploads.
enum FootprintBenchmark {
    private static let megabyte = 1_000_000.0

    /// Start on a migrated database, memory at rest, memory of a child that has read a page.
    @Sendable static func start(_ plan: BenchmarkPlan) async throws -> [Figure] {
        try await BenchmarkSite.run(plan) { site in
            var times: [Double] = []
            for _ in 0..<(plan.isQuick ? 1 : 5) {
                let clock = ContinuousClock()
                let start = clock.now
                let service = try await site.suite.start(.chat)
                times.append((clock.now - start) / .seconds(1))
                _ = try await service.process.terminate()
            }
            let chat = site.suite.chats[0]
            let idle = try Double(chat.residentBytes)
            let id = try await site.user.newConversation()
            let page = try await site.user.upload([Fixture("documents/letter_en_clean.png")], to: id)
            _ = try await site.user.finalMessage(page)
            let child = try children(of: chat.process.id).map { try residentBytes(of: $0) }.max() ?? 0
            return [
                .absolute(
                    "start of ChatService to `/readyz` 200, migrated database", times.sorted()[times.count / 2],
                    unit: "s", atMost: 0.5),
                .absolute("ChatService idle, resident", idle / megabyte, unit: "MB", atMost: 60),
                .absolute(
                    "a recognizing child after a page, resident", Double(child) / megabyte, unit: "MB", atMost: 150),
            ]
        }
    }

    /// Questions that wait for a model which takes five seconds.
    @Sendable static func waitingQuestions(_ plan: BenchmarkPlan) async throws -> [Figure] {
        let pause = ScriptedModelServer.Step.pause(.seconds(plan.isQuick ? 1 : 5))
        return try await ScriptedModelServer.run(replies: [[pause] + ScriptedModelServer.answer("Done.")]) { model in
            let settings = model.settings.merging(["LLM_CONCURRENCY": "1000", "DATABASE_CONNECTIONS": "8"]) { $1 }
            return try await BenchmarkSite.run(plan, settings: settings) { site in
                let id = try await site.user.newConversation()
                let body: JSON = ["conversation_id": .number(Double(id)), "message": "Wait for it"]
                let client = site.user.chat
                let errors = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for _ in 0..<plan.waitingQuestions {
                        group.addTask { try await client.post("/chat", body).status == 200 }
                    }
                    return try await group.reduce(into: 0) { $0 += $1 ? 0 : 1 }
                }
                let peak = try peakBytes(of: site.suite.chats[0].process.id)
                let what = "\(plan.waitingQuestions) questions waiting on a model that takes 5 s"
                return [
                    .absolute("\(what): peak, resident", peak / megabyte, unit: "MB", atMost: 150),
                    .absolute("\(what): errors", Double(errors), unit: "", atMost: 0),
                ]
            }
        }
    }

    /// Large uploads at once.
    @Sendable static func uploads(_ plan: BenchmarkPlan) async throws -> [Figure] {
        try await BenchmarkSite.run(plan) { site in
            let id = try await site.user.newConversation()
            _ = try await site.user.chat.get("/conversations/\(id)")
            let before = try Double(site.suite.chats[0].residentBytes)
            // The signature of a picture, so that it is taken, and nothing more, so that reading it ends at once.
            var bytes = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
            bytes.append(Data(count: plan.uploadBytes - bytes.count))
            var form = MultipartForm(fields: [("conversation_id", "\(id)")])
            form.add(file: "large.png", bytes: bytes)
            let (upload, client) = (form, site.user.chat)
            let refused = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<plan.uploads { group.addTask { try await client.post("/chat/file", upload) } }
                return try await group.reduce(into: 0) { $0 += $1.status == 202 ? 0 : 1 }
            }
            guard refused == 0 else { throw SuiteFault(description: "\(refused) uploads were refused") }
            let growth = try peakBytes(of: site.suite.chats[0].process.id) - before
            let size = plan.uploadBytes >> 20
            return [
                .absolute(
                    "\(plan.uploads) uploads of \(size) MiB at once: growth", growth / megabyte, unit: "MB", atMost: 64)
            ]
        }
    }

    private static func peakBytes(of process: Int32) throws -> Double {
        Double(try kilobytes("VmHWM", of: process)) * 1024
    }

    private static func residentBytes(of process: Int32) throws -> Int { try kilobytes("VmRSS", of: process) * 1024 }

    /// proc(5), `/proc/PID/status`.
    private static func kilobytes(_ key: String, of process: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(key + ":") }
        return try line.flatMap { Int($0.filter(\.isNumber)) }.orThrow("\(key) of \(process)")
    }

    private static func children(of process: Int32) throws -> [Int32] {
        let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")
        return tasks.flatMap { task in
            let text = try? String(contentsOfFile: "/proc/\(process)/task/\(task)/children", encoding: .utf8)
            return (text ?? "").split(separator: " ").compactMap { Int32($0) }
        }
    }
}
