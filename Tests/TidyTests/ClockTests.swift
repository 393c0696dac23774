import Testing

/// Whoever holds a job must not care when an administrator or NTP sets the machine's clock: leases and ages are counted
/// by the database, pauses and deadlines by the monotonic clock.
enum ClockRules {
    static let folders = ["Sources/ChatService/Jobs/", "Sources/Shared/Postgres/"]
    static let words = ["Date(", "Date.now", "Timestamp.now", "gettimeofday", "CLOCK_REALTIME", "DispatchWallTime"]

    static func uses(_ file: SourceFile) -> [Complaint] {
        guard folders.contains(where: file.path.hasPrefix) else { return [] }
        return words.filter(file.code.contains).map { Complaint(file, "reads the time of day: \($0)") }
    }
}

@Suite("Clocks")
struct ClockTests {
    @Test func noLeaseNoPauseAndNoDeadlineDependsOnTheTimeOfDay() {
        #expect(
            SourceTree.sources.flatMap(ClockRules.uses).filter { $0.path != "Sources/Shared/Postgres/Timestamp.swift" }
                == [])
    }

    @Test func aUseIsFound() {
        let text = "let now = Date()\n// Timestamp.now\n"
        #expect(ClockRules.uses(SourceFile(path: "Sources/ChatService/Jobs/A.swift", text: text)).count == 1)
        #expect(ClockRules.uses(SourceFile(path: "Sources/ChatService/Uploads/A.swift", text: text)).isEmpty)
    }
}
