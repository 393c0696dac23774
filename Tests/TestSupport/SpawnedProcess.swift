package import Foundation
import Shared
import Synchronization

/// A process that a test started. It dies with the test process, however that ends.
package final class SpawnedProcess: Sendable {
    package let name: String
    package let log = ServiceLog()
    /// The number of the process.
    package let id: Int32
    private let exit: ExitStatus

    private init(name: String, id: Int32, exit: ExitStatus) {
        self.name = name
        self.id = id
        self.exit = exit
    }

    /// Starts a program with exactly this environment; its output goes to `log`.
    package static func start(
        _ program: URL, _ arguments: [String] = [], name: String, environment: [String: String], directory: URL
    ) async throws -> SpawnedProcess {
        try await Spawner.shared.start(program, arguments, name: name, environment: environment, directory: directory)
    }

    package var isRunning: Bool { exit.status == nil }

    /// Asks it to end (SIGTERM) and waits.
    /// - Returns: the exit code; the negative number of the signal if one ended it.
    package func terminate(atMost limit: Duration = .seconds(120)) async throws -> Int32 {
        signal(SIGTERM)
        return try await waitForExit(atMost: limit)
    }

    /// Ends it as a power cut would.
    package func kill() async throws {
        signal(SIGKILL)
        _ = try await waitForExit(atMost: .seconds(120))
    }

    /// Sends any signal; SIGSTOP makes a replica that is alive and silent, SIGCONT wakes it.
    package func signal(_ number: Int32) {
        if isRunning { Foundation.kill(id, number) }
    }

    /// - Returns: as `terminate`.
    package func waitForExit(atMost limit: Duration) async throws -> Int32 {
        let exit = exit
        return try await waiting(for: "the end of \(name)", atMost: limit) { try await exit.wait() }
    }

    /// The first line, from the start on, that `matches`.
    package func line<R: Sendable>(
        _ what: String, atMost limit: Duration = .seconds(120), _ matches: @escaping @Sendable (String) -> R?
    ) async throws -> R {
        let log = log
        let found = try await waiting(for: "\(what) in the log of \(name)", atMost: limit) {
            for await line in log.lines {
                if let result = matches(line) { return Optional(result) }
            }
            return nil
        }
        guard let found else { throw ProcessEnded(name: name, log: log.text) }
        return found
    }

    /// Starts processes on a thread that never ends: "die with your parent" is about the thread that started the child
    /// (`PR_SET_PDEATHSIG`, prctl(2)).
    private actor Spawner {
        static let shared = Spawner()
        private let executor = ThreadExecutor(name: "spawner")
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        func start(
            _ program: URL, _ arguments: [String], name: String, environment: [String: String], directory: URL
        ) throws -> SpawnedProcess {
            let all = ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--", program.path] + arguments
            let (id, output) = try ProcessLaunch.start(all, environment: environment, directory: directory.path)
            let exit = ExitStatus()
            let spawned = SpawnedProcess(name: name, id: id, exit: exit)
            spawned.log.follow(output, name: name)
            let waiter = Thread { exit.set(ProcessLaunch.wait(for: id)) }
            waiter.name = "wait \(name)"
            waiter.start()
            return spawned
        }
    }
}

/// How a process ended, once it did.
private final class ExitStatus: Sendable {
    private struct State {
        var status: Int32?
        var waiters: [AsyncStream<Int32>.Continuation] = []
    }

    private let state = Mutex(State())

    var status: Int32? { state.withLock { $0.status } }

    func set(_ status: Int32) {
        let waiters = state.withLock { state in
            state.status = status
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { finish(waiter, status) }
    }

    /// - Throws: if the task that waits is cancelled.
    func wait() async throws -> Int32 {
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        let status = state.withLock { state in
            if state.status == nil { state.waiters.append(continuation) }
            return state.status
        }
        if let status { finish(continuation, status) }
        for await status in stream { return status }
        throw CancellationError()
    }

    private func finish(_ waiter: AsyncStream<Int32>.Continuation, _ status: Int32) {
        waiter.yield(status)
        waiter.finish()
    }
}

/// A process ended while a test waited for it to say something.
package struct ProcessEnded: Error, CustomStringConvertible {
    package let name: String
    package let log: String

    package init(name: String, log: String) {
        self.name = name
        self.log = log
    }

    package var description: String { "\(name) ended; its log:\n\(log.suffix(4000))" }
}
