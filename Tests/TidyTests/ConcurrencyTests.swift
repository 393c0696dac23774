import Testing

/// Where the compiler's proof of data-race safety is waived. The list may only shrink: an entry that is not needed any
/// more, or used more often than it says, is a failure.
enum ConcurrencyRules {
    /// A place that waives the proof, how often, and why it cannot be avoided.
    struct Waiver {
        let path: String
        let word: String
        let count: Int
        let reason: String
    }

    static let words = [
        "@unchecked Sendable", "nonisolated(unsafe)", "Task.detached", "unsafeBitCast", "assumeIsolated",
    ]

    static let waivers: [Waiver] = [
        Waiver(
            path: "Sources/Shared/HTTP/Connection/ConnectionGuard.swift", word: "assumeIsolated", count: 1,
            reason: "NIO's own, checked at run time: a handler's timer fires on the handler's loop"
        ),
        Waiver(
            path: "Sources/Shared/Postgres/PostgresResult.swift", word: "@unchecked Sendable", count: 1,
            reason: "a PGresult is never changed after libpq has handed it over, and has one owner that frees it"
        ),
        Waiver(
            path: "Sources/Shared/Postgres/PostgresCanceller.swift", word: "@unchecked Sendable", count: 1,
            reason: "a PGcancel may be used from any thread (libpq, Canceling Queries in Progress), one owner frees it"
        ),
    ]

    static func uses(_ files: [SourceFile]) -> [String: Int] {
        var uses: [String: Int] = [:]
        for file in files {
            let code = file.code
            for word in words {
                let count = code.ranges(of: word).count
                if count > 0 { uses["\(file.path) \(word)"] = count }
            }
        }
        return uses
    }

    static func complaints(uses: [String: Int], waivers: [Waiver]) -> [Complaint] {
        let allowed = Dictionary(uniqueKeysWithValues: waivers.map { ("\($0.path) \($0.word)", $0.count) })
        return Set(uses.keys).union(allowed.keys).sorted().filter { uses[$0, default: 0] != allowed[$0, default: 0] }
            .map {
                Complaint(path: $0, "used \(uses[$0, default: 0]) times, listed \(allowed[$0, default: 0]) times")
            }
    }
}

@Suite("Data-race safety is proved, not promised")
struct ConcurrencyTests {
    @Test func everyWaiverIsListedAndNeeded() {
        let uses = ConcurrencyRules.uses(SourceTree.sources)
        #expect(ConcurrencyRules.complaints(uses: uses, waivers: ConcurrencyRules.waivers) == [])
        #expect(ConcurrencyRules.waivers.allSatisfy { $0.reason.count > 20 })
    }

    @Test func aNewAndAnUnneededWaiverAreFound() {
        let file = SourceFile(path: "a", text: "final class A: @unchecked Sendable {}\n// Task.detached\n")
        let needed = ConcurrencyRules.Waiver(path: "a", word: "@unchecked Sendable", count: 1, reason: "")
        let unneeded = ConcurrencyRules.Waiver(path: "a", word: "Task.detached", count: 1, reason: "")
        let uses = ConcurrencyRules.uses([file])
        #expect(ConcurrencyRules.complaints(uses: uses, waivers: [needed]) == [])
        #expect(ConcurrencyRules.complaints(uses: uses, waivers: []).count == 1)
        #expect(ConcurrencyRules.complaints(uses: uses, waivers: [needed, unneeded]).count == 1)
    }
}
