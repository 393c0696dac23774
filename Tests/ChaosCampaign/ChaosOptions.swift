import Foundation
import TestSupport

/// What the command line says.
struct ChaosOptions: Sendable {
    var seed: UInt64 = 1
    var minutes = 3.0
    /// The folder of AuthService and ChatService.
    var binaries = ProjectFolder.binaries
    /// Whether this process has mounts of its own, so that it may make file systems.
    var mayMount = false
    /// Where the logs stay; nil: they go, unless something was found.
    var logs: URL?

    var length: Duration { .milliseconds(Int(minutes * 60_000)) }
    var replay: String { "--seed \(seed) --minutes \(minutes)" }
    var title: String { "Campaign of seed \(seed), \(minutes) minutes of faults." }

    static let usage = """
        usage: Tests/chaos [--seed N] [--minutes M] [--logs DIR] [--debug | --binaries DIR]
          --seed N         the schedule of faults is a function of it and of M (1)
          --minutes M      how long faults are made (3); the queue is drained afterwards
          --logs DIR       keeps the logs there: of every process, and promises.log with all that was sent and answered
          --debug          builds and runs debug binaries
          --binaries DIR   runs what is there: AuthService, ChatService and Chaos
        """

    /// Nil when the command line cannot be read.
    init?(_ arguments: [String]) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            if name == "--may-mount" {
                mayMount = true
                continue
            }
            guard let value = rest.popFirst() else { return nil }
            switch name {
            case "--seed":
                guard let seed = UInt64(value) else { return nil }
                self.seed = seed
            case "--minutes":
                guard let minutes = Double(value), minutes > 0, minutes <= 10_000 else { return nil }
                self.minutes = minutes
            case "--binaries": binaries = URL(filePath: value)
            case "--logs": logs = URL(filePath: value)
            default: return nil
            }
        }
    }
}
