import Shared
import Testing

@Suite struct DoorbellTests {
    @Test func ringsWhileNobodyWaitsAreKeptAsOne() async {
        let bell = Doorbell()
        bell.ring()
        bell.ring()
        await bell.wait()
        let second = Task { await bell.wait() }
        second.cancel()
        await second.value
    }

    @Test func everybodyWhoWaitsIsWoken() async {
        let bell = Doorbell()
        let (woken, continuation) = AsyncStream<Void>.makeStream()
        await withDiscardingTaskGroup { group in
            for _ in 0..<3 {
                group.addTask {
                    await bell.wait()
                    continuation.yield()
                }
            }
            group.addTask {
                var count = 0
                for await _ in woken {
                    count += 1
                    if count == 3 { return }
                    bell.ring()
                }
            }
            bell.ring()
        }
    }
}
