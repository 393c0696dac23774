import Testing

@testable import ChatService

@Suite struct HeldJobsTests {
    private let fence = JobFence(jobID: 7, attempt: 2)

    /// Work that ends only when it is cancelled, and says when it has begun.
    private func endlessWork(begun: AsyncStream<Void>.Continuation) -> @Sendable () async -> Int {
        {
            begun.yield()
            try? await Task.sleep(for: .seconds(3600))
            return 0
        }
    }

    @Test func finishedWorkGivesItsResultAndIsNoLongerHeld() async {
        let held = HeldJobs()
        guard case .finished(5) = await held.hold(fence, work: { 5 }, settle: { $0 }) else {
            Issue.record("the work was stopped")
            return
        }
        #expect(held.fences.isEmpty)
    }

    @Test func aStoppedJobCancelsItsWork() async {
        let held = HeldJobs()
        let (begun, continuation) = AsyncStream<Void>.makeStream()
        async let result = held.hold(fence, work: endlessWork(begun: continuation), settle: { $0 })
        _ = await begun.first { true }
        held.stop(jobID: 8, reason: .lost)
        #expect(held.fences == [fence])
        held.stop(jobID: 7, reason: .lost)
        guard case .stopped(.lost) = await result else {
            Issue.record("the work was not stopped")
            return
        }
    }

    @Test func drainingStopsWhatIsHeldAndWhatComesAfter() async {
        let held = HeldJobs()
        let (begun, continuation) = AsyncStream<Void>.makeStream()
        async let first = held.hold(fence, work: endlessWork(begun: continuation), settle: { $0 })
        _ = await begun.first { true }
        held.drain()
        guard case .stopped(.draining) = await first else {
            Issue.record("held work was not stopped")
            return
        }
        guard case .stopped(.draining) = await held.hold(JobFence(jobID: 9, attempt: 1), work: { 1 }, settle: { $0 })
        else {
            Issue.record("new work was taken")
            return
        }
        #expect(held.fences.isEmpty)
    }

    @Test func theLeaseIsKeptUntilTheEndIsSettled() async {
        let held = HeldJobs()
        let fences = await held.hold(fence, work: { 5 }, settle: { _ in held.fences })
        #expect(fences == [fence])
        #expect(held.fences.isEmpty)
    }

    @Test func onlyTheJobsThatWereAskedAboutAreStopped() async {
        let held = HeldJobs()
        let other = JobFence(jobID: 8, attempt: 1)
        let (begun, continuation) = AsyncStream<Void>.makeStream()
        async let first = held.hold(fence, work: endlessWork(begun: continuation), settle: { $0 })
        async let second = held.hold(other, work: endlessWork(begun: continuation), settle: { $0 })
        var started = begun.makeAsyncIterator()
        await started.next()
        await started.next()
        held.stopAll(except: [], among: [fence], reason: .lost)
        guard case .stopped(.lost) = await first else {
            Issue.record("the lost job went on")
            return
        }
        #expect(held.fences == [other])
        held.drain()
        _ = await second
    }
}
