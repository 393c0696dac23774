import Foundation
import Logging
import ServiceLifecycle
import Shared
import Synchronization

/// The workers of this replica: recognizing slots and answering slots over the rows of `chat.jobs`.
///
/// A service: it works while `run()` runs and gives back what it holds at graceful shutdown. Every replica is equal;
/// what one leaves behind, the others claim when the lease has run out.
final class JobPool: Service {
    /// How many of each slot, and how long a claim holds.
    struct Settings: Sendable {
        /// Pages recognised at once, each by a child process of its own.
        let recognizingSlots: Int
        /// Calls to the model at once.
        let answeringSlots: Int
        /// Plain questions that may wait for an answering slot in this replica.
        let waitingMax: Int
        let leaseSeconds: Int
        let shutdownGraceSeconds: Int
    }

    /// Who this replica is in `jobs.owner`, made anew at each start.
    let owner = UUID()
    let settings: Settings
    let database: PostgresDatabase
    let answering: Answering
    var events: EventHub { answering.events }
    let uploads: LocalUploads
    let logger: Logger
    /// Set by the frame at the first signal, before this service is told to stop.
    let drain: Drain
    let held = HeldJobs()
    let recognizeBell = Doorbell()
    let answerBell = Doorbell()
    let answerSlots: SlotLimit
    /// How many of the slots work on jobs from the queue.
    let queuedAnswers = Atomic(0)
    let questions: QuestionQueue
    let gate: ModelGate
    private let makeRecognizer: @Sendable () -> RecognizerProcess

    init(
        settings: Settings, database: PostgresDatabase, answering: Answering, gate: ModelGate, uploads: LocalUploads,
        drain: Drain, logger: Logger, makeRecognizer: @escaping @Sendable () -> RecognizerProcess
    ) {
        self.settings = settings
        self.database = database
        self.answering = answering
        self.gate = gate
        self.uploads = uploads
        self.logger = logger
        self.drain = drain
        self.makeRecognizer = makeRecognizer
        answerSlots = SlotLimit(slots: settings.answeringSlots)
        questions = QuestionQueue(capacity: settings.waitingMax + settings.answeringSlots)
    }

    /// Works until graceful shutdown or cancellation; then what is held is given back.
    func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.keepLeases() }
                group.addTask { await self.watchLeases() }
                group.addTask { await self.listen() }
                group.addTask { await self.yieldWhenDraining() }
                group.addTask { await self.tick() }
                group.addTask { await self.janitor.run() }
                group.addTask { await self.answering.deltas.run() }
                group.addTask { await JobGauges(database: self.database, logger: self.logger).run() }
                // The workers end by themselves when the pool drains, after they gave back what they held.
                await self.runWorkers()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.beginDraining()
        }
        await uploads.close()
    }

    private func runWorkers() async {
        await withDiscardingTaskGroup { group in
            for _ in 0..<settings.recognizingSlots { group.addTask { await self.runRecognizingSlot() } }
            group.addTask { await self.answerQueuedJobs() }
            group.addTask { await self.answerQuestions() }
        }
    }

    /// Whether this replica claims no more jobs.
    var isStopping: Bool { held.isDraining || drain.isDraining }

    /// Nobody waits in a request for queued work: at the first signal it goes to the other replicas, before the server
    /// has finished its requests.
    private func yieldWhenDraining() async {
        await drain.begun()
        guard drain.isDraining else { return }
        held.yieldQueued()
        recognizeBell.ring()
        answerBell.ring()
    }

    private func beginDraining() {
        questions.close()
        held.drain()
        recognizeBell.ring()
        answerBell.ring()
    }

    private var janitor: Janitor { Janitor(database: database, uploads: uploads, logger: logger) }

    /// Tells the other replicas that there is work, without the transaction that made it waiting for that.
    func announce(_ stage: JobStage) async {
        bell(of: stage).ring()
        await notify(channel: "chat_jobs", payload: stage.rawValue)
    }

    /// Tells readers of events that a job was claimed.
    func announceProgress(of job: ClaimedJob) async {
        do {
            if try await database.noteProgress(job.fence) { events.announce(job.conversationID) }
        } catch {
            logger.debug("progress not noted", metadata: ["job": "\(job.fence.jobID)", "error": "\(error)"])
        }
    }

    /// Stops the work on a job wherever it runs; its row is gone already.
    func announceStop(jobID: Int) async {
        held.stop(jobID: jobID, reason: .lost)
        await notify(channel: "chat_job_stopped", payload: String(jobID))
    }

    private func notify(channel: String, payload: String) async {
        do {
            try await database.query("select pg_notify(\(channel), \(payload))")
        } catch {
            // The doorbell is a courtesy: the others look at the rows every second.
            logger.debug("notification not sent", metadata: ["error": "\(error)"])
        }
    }

    private func bell(of stage: JobStage) -> Doorbell {
        switch stage {
        case .recognize: recognizeBell
        case .answer: answerBell
        }
    }

    private func listen() async {
        for await event in database.listen(to: ["chat_jobs", "chat_job_stopped"]) {
            switch event {
            case .listening:
                recognizeBell.ring()
                answerBell.ring()
            case .notification("chat_jobs", let payload):
                if let stage = JobStage(rawValue: payload) { bell(of: stage).ring() }
            case .notification(_, let payload):
                if let jobID = Int(payload) { held.stop(jobID: jobID, reason: .lost) }
            }
        }
    }

    /// The poll behind the doorbell: leases that ran out ring no bell.
    private func tick() async {
        var stoppingSince: ContinuousClock.Instant?
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            recognizeBell.ring()
            answerBell.ring()
            if drain.isDraining, !held.isDraining {
                // The server waits for its requests, and they for this pool: at half of the grace it gives them back.
                let since = stoppingSince ?? .now
                stoppingSince = since
                if ContinuousClock.now - since >= .seconds(settings.shutdownGraceSeconds) / 2 { beginDraining() }
            }
            await uploads.sweep(database)
            if gate.isShut { await failImpatient() }
        }
    }

    private func runRecognizingSlot() async {
        let recognizer = makeRecognizer()
        let slot = RecognizingSlot(pool: self, recognizer: recognizer)
        await slot.run()
        await recognizer.shutdown()
    }
}
