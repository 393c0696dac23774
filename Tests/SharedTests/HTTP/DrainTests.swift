import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Shared
import TestSupport
import Testing

@Suite("Stopping")
struct DrainTests {
    /// The port that the log line of a started server names.
    private func port(of fixture: FrameFixture) async throws -> Int {
        while true {
            for line in fixture.lines.all where line.contains("\"listening\"") {
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return try #require((object?["port"] as? String).flatMap { Int($0) })
            }
            await Task.yield()
        }
    }

    private final class Recorder: Service, Sendable {
        let stopped: AsyncStream<String>.Continuation
        let name: String

        init(name: String, stopped: AsyncStream<String>.Continuation) {
            self.name = name
            self.stopped = stopped
        }

        func run() async throws {
            try? await gracefulShutdown()
            stopped.yield(name)
        }
    }

    @Test("says 503 at once, finishes what runs, then stops the services, the first one last")
    func stops() async throws {
        let (stopped, continuation) = AsyncStream.makeStream(of: String.self)
        let services = ["database", "jobs"].map { Recorder(name: $0, stopped: continuation) }
        let fixture = FrameFixture(settings: HTTPSettings(shutdownGraceSeconds: 600), services: services)
        let group = fixture.frame.serviceGroup(fixture.application)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try await port(of: fixture)
            try await RawConnection.open(port: port) { waiting in
                try await waiting.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
                for await _ in fixture.arrivals.stream { break }
                await group.triggerGracefulShutdown()
                while !fixture.frame.drain.isDraining { await Task.yield() }
                try await RawConnection.open(port: port) { late in
                    try await late.send("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
                    let answer = try await late.receive(through: "draining: yes")
                    #expect(answer.hasPrefix("HTTP/1.1 503 "))
                }
                fixture.gate.continuation.finish()
                #expect(try await waiting.receiveAll().hasPrefix("HTTP/1.1 200 "))
            }
            try await tasks.waitForAll()
        }
        continuation.finish()
        #expect(await stopped.reduce(into: []) { $0.append($1) } == ["jobs", "database"])
    }

    @Test("answers one more request on a connection that was idle, as a proxy may just be sending it")
    func idleConnection() async throws {
        var limits = HTTPLimits()
        limits.quiescenceMilliseconds = 600_000
        let fixture = FrameFixture(settings: HTTPSettings(shutdownGraceSeconds: 4800), limits: limits)
        let group = fixture.frame.serviceGroup(fixture.application)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try await port(of: fixture)
            try await RawConnection.open(port: port) { idle in
                let get = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
                try await idle.send(get)
                let first = try await idle.receive(through: #"{"hello":"world"}"#)
                #expect(!first.lowercased().contains("connection: close"))
                await group.triggerGracefulShutdown()
                _ = try await polling(for: "the socket to close", atMost: .seconds(300)) {
                    (try? await RawConnection.open(port: port) { _ in true }) == nil ? true : nil
                }
                try await idle.send(get)
                let answer = try await idle.receiveAll()
                #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.lowercased().contains("connection: close"))
                #expect(idle.isEnded)
            }
            try await tasks.waitForAll()
        }
    }
}
