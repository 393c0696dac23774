import Foundation
import Logging
import ServiceLifecycle
import Shared

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
    }

    /// Who this replica is in `jobs.owner`, made anew at each start.
    let owner = UUID()
    let settings: Settings
    let database: PostgresDatabase
    let answering: Answering
    let uploads: LocalUploads
    let logger: Logger
    let held = HeldJobs()
    let recognizeBell = Doorbell()
    let answerBell = Doorbell()
    let answerSlots: SlotLimit
    let questions: QuestionQueue
    private let makeRecognizer: @Sendable () -> RecognizerProcess

    init(
        settings: Settings, database: PostgresDatabase, answering: Answering, uploads: LocalUploads, logger: Logger,
        makeRecognizer: @escaping @Sendable () -> RecognizerProcess
    ) {
        self.settings = settings
        self.database = database
        self.answering = answering
        self.uploads = uploads
        self.logger = logger
        self.makeRecognizer = makeRecognizer
        answerSlots = SlotLimit(slots: settings.answeringSlots)
        questions = QuestionQueue(capacity: settings.waitingMax + settings.answeringSlots)
    }

    /// Works until graceful shutdown or cancellation; then what is held is given back.
    func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for _ in 0..<settings.recognizingSlots { group.addTask { await self.runRecognizingSlot() } }
                group.addTask { await self.answerQueuedJobs() }
                group.addTask { await self.answerQuestions() }
                group.addTask { await self.keepLeases() }
                group.addTask { await self.listen() }
                group.addTask { await self.tick() }
                group.addTask { await self.janitor.run() }
                group.addTask { await JobGauges(database: self.database, logger: self.logger).run() }
                await self.untilDrained()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.questions.close()
            self.held.drain()
            self.recognizeBell.ring()
            self.answerBell.ring()
        }
        await uploads.close()
    }

    private var janitor: Janitor { Janitor(database: database, uploads: uploads, logger: logger) }

    /// Returns when the pool should end: at graceful shutdown, once no work is held.
    private func untilDrained() async {
        try? await gracefulShutdown()
        await held.untilNone()
    }

    /// Tells the other replicas that there is work, without the transaction that made it waiting for that.
    func announce(_ stage: JobStage) async {
        bell(of: stage).ring()
        await notify(channel: "chat_jobs", payload: stage.rawValue)
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
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            recognizeBell.ring()
            answerBell.ring()
            await uploads.sweep(database)
        }
    }

    private func runRecognizingSlot() async {
        let recognizer = makeRecognizer()
        let slot = RecognizingSlot(pool: self, recognizer: recognizer)
        await slot.run()
        await recognizer.shutdown()
    }
}
