import Logging
import Shared

/// The answering half of the pool: questions whose asker waits, and jobs from the queue, over one bound of calls.
extension JobPool {
    /// Answers a plain question that this replica has accepted, and returns when its end is known.
    ///
    /// The work belongs to the pool, not to the caller: a caller that goes away does not stop the answer from being
    /// stored.
    func answer(_ question: AcceptedQuestion) async -> AnswerOutcome {
        await withCheckedContinuation { continuation in
            begin(question, onDelta: { _ in }) { continuation.resume(returning: $0) }
        }
    }

    /// As `answer`, without waiting.
    ///
    /// - Parameters:
    ///   - onDelta: hears the text as the model writes it; must not wait for a slow reader.
    ///   - finish: called once, with the end.
    func begin(
        _ question: AcceptedQuestion, onDelta: @escaping @Sendable (String) async -> Void,
        finish: @escaping @Sendable (AnswerOutcome) -> Void
    ) {
        questions.submit(question, onDelta: onDelta, finish: finish)
    }

    /// Takes the submitted questions until the pool drains.
    func answerQuestions() async {
        await withDiscardingTaskGroup { group in
            for await entry in questions.entries {
                group.addTask {
                    let outcome = await self.work(on: entry.question, onDelta: entry.onDelta)
                    entry.finish(outcome)
                }
            }
        }
    }

    private func work(
        on question: AcceptedQuestion, onDelta: @escaping @Sendable (String) async -> Void
    ) async -> AnswerOutcome {
        let job = question.job
        return await held.hold(job, isQueued: false) { () -> AnswerOutcome in
            guard (try? await self.answerSlots.take()) != nil else { return .handedOver }
            defer { self.giveAnswerSlot() }
            return await self.answering.answer(job, context: question.context, onDelta: onDelta)
        } settle: {
            await self.settle(job, $0)
        }
    }

    /// Claims jobs for the free slots until the pool drains.
    func answerQueuedJobs() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled && !isStopping {
                let wanted = min(16, gate.queuedCallsMax - queuedAnswers.load(ordering: .relaxed))
                let slots = answerSlots.takeFree(atMost: max(wanted, 0))
                let jobs = await claimAnswers(limit: slots)
                for _ in jobs.count..<max(slots, jobs.count) { answerSlots.give() }
                queuedAnswers.add(jobs.count, ordering: .relaxed)
                for job in jobs { group.addTask { await self.answerQueued(job) } }
                if jobs.isEmpty { await answerBell.wait() }
            }
        }
    }

    private func answerQueued(_ job: ClaimedJob) async {
        _ = await held.hold(job, isQueued: true) {
            await self.tellingProgress(of: job) { await self.answering.answer(job) }
        } settle: {
            await self.settle(job, $0)
        }
        queuedAnswers.subtract(1, ordering: .relaxed)
        answerSlots.give()
        // The next one may have been waiting for this slot, or for the model to be heard.
        answerBell.ring()
    }

    /// Runs `work` and tells readers of events that it has begun, unless it is over at once: a write less for each
    /// answer that is.
    private func tellingProgress(
        of job: ClaimedJob, during work: @escaping @Sendable () async -> AnswerOutcome
    ) async -> AnswerOutcome {
        await withTaskGroup(of: AnswerOutcome?.self) { group in
            group.addTask { await work() }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(50))
                return nil
            }
            while let end = await group.next() {
                if let outcome = end {
                    group.cancelAll()
                    return outcome
                }
                // Here, not in a child: what ends meanwhile does not break the statement off.
                if !Task.isCancelled { await announceProgress(of: job) }
            }
            return .handedOver
        }
    }

    /// Queued jobs hear of a slot only when they had none at all: a plain question costs them no look at the rows.
    private func giveAnswerSlot() {
        let wasFull = answerSlots.free == 0
        answerSlots.give()
        if wasFull { answerBell.ring() }
    }

    /// Ends what has waited for the model for too long; asked while the model is away, because nothing is claimed then.
    func failImpatient() async {
        do {
            let conversations = try await database.failWaitingAnswers(
                olderThan: JobRetrySchedule.patience, with: .modelAway)
            guard !conversations.isEmpty else { return }
            logger.warning("gave up on the model", metadata: ["messages": "\(conversations.count)"])
            for conversation in Set(conversations) { events.announce(conversation) }
        } catch {
            logger.debug("patience not checked", metadata: ["error": "\(error)"])
        }
    }

    private func claimAnswers(limit: Int) async -> [ClaimedJob] {
        guard limit > 0 else { return [] }
        do {
            return try await database.claimJobs(
                stage: .answer, owner: owner, leaseSeconds: settings.leaseSeconds, limit: limit)
        } catch {
            logger.debug("no job claimed", metadata: ["error": "\(error)"])
            return []
        }
    }

    /// Gives a job back that was stopped through no fault of its own.
    private func settle(_ job: ClaimedJob, _ result: HeldResult<AnswerOutcome>) async -> AnswerOutcome {
        switch result {
        case .finished(let outcome):
            return outcome
        case .stopped(.lost):
            return .handedOver
        case .stopped(.handBack):
            _ = await database.persist(job.fence, logger: logger) {
                try await database.releaseJob(job.fence, after: .zero, isSpared: true)
            }
            events.announce(job.conversationID)
            await announce(.answer)
            return .handedOver
        }
    }
}
