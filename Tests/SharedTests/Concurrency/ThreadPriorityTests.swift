import Foundation
import Shared
import Testing

@Suite("Threads that stand back")
struct ThreadPriorityTests {
    @Test func onlyTheCallingThreadIsLowered() async throws {
        let priorities = await withCheckedContinuation { continuation in
            Thread {
                let before = Self.niceness
                ThreadPriority.standBack()
                continuation.resume(returning: (before, Self.niceness))
            }.start()
        }
        let others = await withCheckedContinuation { continuation in
            Thread { continuation.resume(returning: Self.niceness) }.start()
        }
        #expect(priorities.1 == max(priorities.0, 10))
        #expect(others == priorities.0)
    }

    /// Of the calling thread (getpriority(2)).
    private static var niceness: Int32 { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }
}
