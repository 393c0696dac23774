import Testing

@testable import ChatService

@Suite struct HeldJobsTests {
    private let job = ClaimedJob.made(7)
    private var fence: JobFence { job.fence }

    /// Work that ends only when it is cancelled, and says when it has begun.
    private func endlessWork(begun: AsyncStream<Void>.Continuation) -> @Sendable () async -> Int {
        {
            begun.yield()
            try? await Task.sleep(for: .seconds(100_000))
            return 0
        }
    }

    @Test func finishedWorkGivesItsResultAndIsNoLongerHeld() async {
        let held = HeldJobs()
        guard case .finished(5) = await held.hold(job, isQueued: false, work: { 5 }, settle: { $0 }) else {
            Issue.record("the work was stopped")
            return
        }
        #expect(held.fences.isEmpty)
    }

    @Test func aStoppedJobCancelsItsWork() async {
        let held = HeldJobs()
        let (begun, continuation) = AsyncStream<Void>.makeStream()
        async let result = held.hold(job, isQueued: false, work: endlessWork(begun: continuation), settle: { $0 })
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
        async let first = held.hold(job, isQueued: false, work: endlessWork(begun: continuation), settle: { $0 })
        _ = await begun.first { true }
        held.drain()
        guard case .stopped(.handBack) = await first else {
            Issue.record("held work was not stopped")
            return
        }
        guard case .stopped(.handBack) = await held.hold(.made(9), isQueued: false, work: { 1 }, settle: { $0 })
        else {
            Issue.record("new work was taken")
            return
        }
        #expect(held.fences.isEmpty)
    }

    @Test func theLeaseIsKeptUntilTheEndIsSettled() async {
        let held = HeldJobs()
        let fences = await held.hold(job, isQueued: false, work: { 5 }, settle: { _ in held.fences })
        #expect(fences == [fence])
        #expect(held.fences.isEmpty)
    }

    @Test func onlyTheJobsThatWereAskedAboutAreStopped() async {
        let held = HeldJobs()
        let other = ClaimedJob.made(8)
        let (begun, continuation) = AsyncStream<Void>.makeStream()
        async let first = held.hold(job, isQueued: false, work: endlessWork(begun: continuation), settle: { $0 })
        async let second = held.hold(other, isQueued: false, work: endlessWork(begun: continuation), settle: { $0 })
        var started = begun.makeAsyncIterator()
        await started.next()
        await started.next()
        held.stopAll(except: [], among: [fence], reason: .lost)
        guard case .stopped(.lost) = await first else {
            Issue.record("the lost job went on")
            return
        }
        #expect(held.fences == [other.fence])
        held.drain()
        _ = await second
    }

    @Test func atTheFirstSignalOnlyWhatNobodyWaitsForIsHandedBack() async {
        let held = HeldJobs()
        let asked = ClaimedJob.made(8)
        let (begun, continuation) = AsyncStream<Void>.makeStream()
        async let queued = held.hold(job, isQueued: true, work: endlessWork(begun: continuation), settle: { $0 })
        async let awaited = held.hold(asked, isQueued: false, work: endlessWork(begun: continuation), settle: { $0 })
        var started = begun.makeAsyncIterator()
        await started.next()
        await started.next()
        held.yieldQueued()
        guard case .stopped(.handBack) = await queued else {
            Issue.record("queued work was kept")
            return
        }
        #expect(held.fences == [asked.fence])
        guard case .stopped(.handBack) = await held.hold(.made(9), isQueued: true, work: { 1 }, settle: { $0 }),
            case .finished(2) = await held.hold(.made(10), isQueued: false, work: { 2 }, settle: { $0 })
        else {
            Issue.record("a draining replica takes what is asked of it, and nothing from the queue")
            return
        }
        held.drain()
        _ = await awaited
    }

    /// The leases are longer than a test may wait for its turn: work whose lease is over would never begin.
    @Test func workWhoseLeaseIsOverIsStoppedAndOtherWorkIsNot() async {
        let held = HeldJobs()
        let start = ContinuousClock.now
        let first = ClaimedJob.made(7, lease: JobLease(asked: start, seconds: 60_000))
        let other = ClaimedJob.made(8, lease: JobLease(asked: start + .seconds(20_000), seconds: 60_000))
        let (begun, continuation) = AsyncStream<Void>.makeStream()
        async let overdue = held.hold(first, isQueued: true, work: endlessWork(begun: continuation), settle: { $0 })
        async let live = held.hold(other, isQueued: true, work: endlessWork(begun: continuation), settle: { $0 })
        var started = begun.makeAsyncIterator()
        await started.next()
        await started.next()
        #expect(held.firstDeadline == start + .seconds(50_000), "a sixth of the lease before others may start")
        #expect(held.stopOverdue(at: start + .seconds(49_999)) == [])
        #expect(held.stopOverdue(at: start + .seconds(50_000)) == [first.fence])
        guard case .stopped(.lost) = await overdue else {
            Issue.record("overdue work went on")
            return
        }
        held.renew([other.fence], asked: start + .seconds(30_000))
        #expect(held.stopOverdue(at: start + .seconds(79_999)) == [])
        #expect(held.stopOverdue(at: start + .seconds(80_000)) == [other.fence])
        _ = await live
    }

    @Test func aHeartbeatThatIsHeardLateDoesNotShortenTheLease() {
        let start = ContinuousClock.now
        let lease = JobLease(asked: start, seconds: 6)
        lease.renew(asked: start + .seconds(2))
        lease.renew(asked: start + .seconds(1))
        #expect(lease.deadline == start + .seconds(7))
        #expect(!lease.isOver(at: start + .seconds(6.9)))
        #expect(lease.isOver(at: start + .seconds(7)))
    }

    @Test func aClaimThatWasAnsweredTooLateIsGivenBackAndNotWorkedOn() async {
        let held = HeldJobs()
        let late = ClaimedJob.made(7, lease: JobLease(asked: .now - .seconds(60), seconds: 30))
        let outcome = await held.hold(late, isQueued: true, work: { Issue.record("worked on") }, settle: { $0 })
        guard case .stopped(.handBack) = outcome else {
            Issue.record("not given back")
            return
        }
    }
}

extension ClaimedJob {
    /// A job as it might have been claimed.
    static func made(_ id: Int, lease: JobLease = JobLease(asked: .now, seconds: 3600)) -> ClaimedJob {
        ClaimedJob(
            fence: JobFence(jobID: id, attempt: 2), lease: lease, stage: .answer, tries: 1, subjectID: id,
            questionID: id, answerID: id + 1000, conversationID: 1, ageWhenClaimed: .zero)
    }
}
