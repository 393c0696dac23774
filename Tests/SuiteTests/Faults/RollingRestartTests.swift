import Foundation
import Synchronization
import TestSupport
import Testing

/// What clients behind nginx see of a restart of all replicas, one after the other.
extension DeployTests {
    @Test func allReplicasAreRestartedUnderLoadAndNoRequestFails() async throws {
        try await withDeployment { _, auth, chat, state in
            let (client, body) = try await asker(auth, chat)
            let load = SteadyLoad(client: client, question: body)
            let conversation = try body["conversation_id"].int.orThrow("conversation_id")
            let uploaded = try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { await load.run() } }
                var messages: [Int] = []
                for name in ["chat-1", "chat-2", "chat-1", "chat-2"] {
                    var form = MultipartForm(fields: [("conversation_id", "\(conversation)")])
                    form.add(file: "scan.tiff", bytes: try Fixture("documents/contract_en_3pages.tiff").bytes)
                    let accepted = try await client.post("/chat/file", form)
                    messages.append(try accepted.json["message_id"].int.orThrow("message_id in \(accepted)"))
                    try await restart(name, state)
                }
                load.stop()
                try await group.waitForAll()
                return messages
            }
            #expect(load.failures == [])
            #expect(load.answered > 100, "a load worth the name")
            for message in uploaded {
                let final = try await polling(for: "the file to be read", atMost: .seconds(300)) {
                    let message = try await client.get("/messages/\(message)").json
                    return message["status"] == "processing" ? nil : message
                }
                #expect(final["status"] == "completed", "\(final)")
            }
            let path = "/conversations/\(conversation)/messages?limit=200&order=desc"
            let newest = try await client.get(path).json["messages"].array
            #expect(newest.allSatisfy { $0["status"] == "completed" })
        }
    }

    /// SIGTERM, as a deployment would send it; the supervisor starts the replica again. Back is who listens: nobody
    /// waits until nginx has noticed.
    private func restart(_ name: String, _ state: URL) async throws {
        let log = state.appending(path: "log/\(name).log")
        let starts = try sections(of: log).count
        let replica = try processes(named: "ChatService", of: state).first { id in
            let environment = FileManager.default.contents(atPath: "/proc/\(id)/environ") ?? Data()
            return String(decoding: environment, as: UTF8.self).contains("uploads/\(name)")
        }
        Foundation.kill(try replica.orThrow(name), SIGTERM)
        _ = try await polling(for: "\(name) to be back", atMost: .seconds(120)) {
            try sections(of: log).count > starts ? true : nil
        }
    }

    /// The log, cut where the process began to listen.
    private func sections(of log: URL) throws -> [String] {
        try String(contentsOf: log, encoding: .utf8).components(separatedBy: "listening")
    }
}

/// Questions and looks at the history, one after the other, until it is stopped.
private final class SteadyLoad: Sendable {
    private struct State {
        var isStopped = false
        var answered = 0
        var failures: [String] = []
    }

    private let state = Mutex(State())
    private let client: ServiceClient
    private let question: JSON

    init(client: ServiceClient, question: JSON) {
        self.client = client
        self.question = question
    }

    var failures: [String] { state.withLock(\.failures) }
    var answered: Int { state.withLock(\.answered) }

    func stop() { state.withLock { $0.isStopped = true } }

    func run() async {
        while !state.withLock(\.isStopped), !Task.isCancelled {
            await note("POST /chat") { try await self.client.post("/chat", self.question) }
            await note("GET /conversations") { try await self.client.get("/conversations") }
        }
    }

    private func note(_ what: String, _ call: () async throws -> Reply) async {
        let failure: String?
        do {
            let reply = try await call()
            failure = reply.status == 200 ? nil : "\(what): \(reply)"
        } catch { failure = "\(what): \(error)" }
        state.withLock { state in
            if let failure { state.failures.append(failure) } else { state.answered += 1 }
        }
    }
}
