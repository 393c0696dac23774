import Foundation
import TestSupport

/// The wall clock of one replica, moved with libfaketime. The monotonic clock runs on undisturbed, as it does when an
/// operator or NTP sets a machine's time.
struct ReplicaClock: Sendable {
    private let file: URL
    private let library: String

    init(folder: URL, name: String) throws {
        file = folder.appending(path: "clock-\(name)")
        let triplets = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
        let libraries = triplets.map { "/usr/lib/\($0)/faketime/libfaketime.so.1" }
        library = try libraries.first(where: FileManager.default.fileExists).orThrow(
            "libfaketime: deploy/install-packages test")
        try shift(bySeconds: 0)
    }

    /// To be taken over within a second.
    func shift(bySeconds seconds: Int) throws {
        try "\(seconds >= 0 ? "+" : "")\(seconds)\n".write(to: file, atomically: true, encoding: .utf8)
    }

    /// For the process whose clock it is.
    var environment: [String: String] {
        [
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": file.path, "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        ]
    }
}
