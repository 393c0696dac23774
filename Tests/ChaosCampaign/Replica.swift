import Foundation
import TestSupport

/// One ChatService of a campaign, always on the same port: it is killed, stopped, put to sleep and started again.
actor Replica {
    /// What a replica cannot be without.
    struct Place: Sendable {
        let number: Int
        let port: Int
        let program: URL
        let environment: [String: String]
        let folder: URL
        let promises: Promises
        let graceSeconds: Int
    }

    nonisolated let place: Place
    private var process: SpawnedProcess?
    /// Whether its end is ours to explain.
    private var isEnding = false
    /// Whether a fault holds it: only one at a time kills, stops or sends it to sleep.
    private var isOccupied = false
    private var starts = 0
    private var watch: Task<Void, Never>?
    /// Recognizing children of processes that are gone.
    private var orphans: Set<ProcessFacts.Identity> = []
    private(set) var findings: [String] = []
    /// Starts that ended before the service listened, because PostgreSQL was away.
    private(set) var refusedStarts = 0

    init(place: Place) { self.place = place }

    /// The running process.
    var processID: Int32? { process.flatMap { $0.isRunning ? $0.id : nil } }

    /// Children of earlier processes that are still alive.
    var survivors: [ProcessFacts.Identity] { orphans.filter { ProcessFacts.identity(of: $0.id) == $0 } }

    /// Starts it; it may take its time to be ready.
    func start() async throws {
        starts += 1
        isEnding = false
        let process = try await SpawnedProcess.start(
            place.program, name: "replica \(place.number), start \(starts)", environment: place.environment,
            directory: place.folder)
        self.process = process
        watch = Task { await self.follow(process) }
    }

    /// Holds it for one fault, unless another has it.
    /// - Returns: whether the fault took place.
    func occupied(_ body: @Sendable (isolated Replica) async throws -> Void) async rethrows -> Bool {
        guard !isOccupied, process?.isRunning == true else { return false }
        isOccupied = true
        defer { isOccupied = false }
        try await body(self)
        return true
    }

    /// SIGKILL, and a new start after a while.
    func kill(awayFor pause: Duration) async throws {
        guard let process else { return }
        isEnding = true
        orphans.formUnion(ProcessFacts.children(of: process.id))
        try await process.kill()
        await watch?.value
        try await Task.sleep(for: pause)
        try await start()
    }

    /// SIGTERM and a new start.
    func restart() async throws {
        try await stop()
        try await start()
    }

    /// SIGTERM: it must end in order and in time.
    func stop() async throws {
        guard let process, process.isRunning else { return }
        isEnding = true
        orphans.formUnion(ProcessFacts.children(of: process.id))
        do {
            let hasListened = hasListened(process)
            let status = try await process.terminate(atMost: .seconds(place.graceSeconds + 10))
            if status != 0, hasListened { findings.append("\(process.name) ended with \(status) when asked to stop") }
        } catch let error as WaitedInVain {
            findings.append("\(process.name) did not stop within \(error.limit)")
            try await process.kill()
        }
        await watch?.value
    }

    /// SIGSTOP, and SIGCONT after a while.
    func sleep(for time: Duration) async throws {
        process?.signal(SIGSTOP)
        defer { process?.signal(SIGCONT) }
        try await Task.sleep(for: time)
    }

    /// Sees each process to its end, keeps its log, and starts again what ended by itself, as a supervisor does.
    private func follow(_ process: SpawnedProcess) async {
        let status = try? await process.waitForExit(atMost: .seconds(100_000))
        for await _ in process.log.lines {}
        keepLog(of: process)
        removeClockMemory(of: process.id)
        guard !isEnding, let status else { return }
        if hasListened(process) || status < 0 {
            findings.append("\(process.name) ended by itself with \(status): \(process.log.text.suffix(600))")
        } else {
            refusedStarts += 1
        }
        try? await Task.sleep(for: .milliseconds(500))
        if !isEnding { try? await start() }
    }

    private func hasListened(_ process: SpawnedProcess) -> Bool { process.log.text.contains("listening") }

    private func keepLog(of process: SpawnedProcess) {
        let text = process.log.text
        if text.contains(ChaosSite.secret) { findings.append("\(process.name) logs JWT_SECRET") }
        let name = process.name.replacing(", ", with: "-").replacing(" ", with: "-") + ".log"
        try? text.write(to: place.folder.appending(path: name), atomically: true, encoding: .utf8)
    }

    /// libfaketime leaves two files of shared memory of a process that was killed.
    private nonisolated func removeClockMemory(of id: Int32) {
        for name in ["faketime_shm_\(id)", "sem.faketime_sem_\(id)"] {
            try? FileManager.default.removeItem(atPath: "/dev/shm/\(name)")
        }
    }
}
