import Logging
import Shared

/// One recognizing slot: claims a job, reads its files with the slot's own child process, and gives back what it cannot
/// finish.
struct RecognizingSlot: Sendable {
    private let pool: JobPool
    private let recognizer: RecognizerProcess
    private let stage: Recognizing

    /// Claims one after the other without a page to show, whatever kills their holders: then the job is given up, for
    /// its user to try again.
    static let claimsMax = 25

    init(pool: JobPool, recognizer: RecognizerProcess) {
        self.pool = pool
        self.recognizer = recognizer
        stage = Recognizing(
            database: pool.database, recognizer: recognizer, uploads: pool.uploads, events: pool.events,
            logger: pool.logger)
    }

    /// Works until the task is cancelled or the pool drains.
    func run() async {
        while !Task.isCancelled && !pool.isStopping {
            guard let job = await claim() else {
                await pool.recognizeBell.wait()
                continue
            }
            await work(on: job)
        }
    }

    private func claim() async -> ClaimedJob? {
        do {
            return try await pool.database.claimJobs(
                stage: .recognize, owner: pool.owner, leaseSeconds: pool.settings.leaseSeconds, limit: 1
            ).first
        } catch {
            pool.logger.debug("no job claimed", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private func work(on job: ClaimedJob) async {
        await pool.held.hold(
            job, isQueued: true,
            work: {
                await pool.announceProgress(of: job)
                return await outcome(of: job)
            }, settle: { await settle(job, $0) })
        pool.events.announce(job.conversationID)
        await pool.uploads.sweep(pool.database)
    }

    private func settle(_ job: ClaimedJob, _ result: HeldResult<Recognizing.Outcome>) async {
        switch result {
        case .stopped(.lost), .finished(.lost):
            break
        case .stopped(.handBack):
            await release(job, after: .zero, isSpared: true)
        case .finished(.again(let pause, let isSpared)):
            await release(job, after: pause, isSpared: isSpared)
        case .finished(.failed(let failure)):
            _ = await pool.database.persist(job.fence, logger: pool.logger) {
                try await pool.database.failJob(job.fence, with: failure)
            }
        case .finished(.recognized):
            await pool.announce(.answer)
        }
    }

    private func outcome(of job: ClaimedJob) async -> Recognizing.Outcome {
        guard job.tries <= Self.claimsMax else { return .failed(.recognitionBrokenOff) }
        do {
            return try await stage.recognize(job)
        } catch {
            pool.logger.warning("recognition broke off", metadata: ["job": "\(job.fence.jobID)", "error": "\(error)"])
            return .again(after: .seconds(1), isSpared: true)
        }
    }

    private func release(_ job: ClaimedJob, after pause: Duration, isSpared: Bool) async {
        _ = await pool.database.persist(job.fence, logger: pool.logger) {
            try await pool.database.releaseJob(job.fence, after: pause, isSpared: isSpared)
        }
        await pool.announce(.recognize)
    }
}
