import Foundation
import Logging
import Shared

/// An answer that is stored.
struct StoredAnswer: Sendable {
    let messageID: Int
    let text: String
    /// The contract's `usage` object as JSON.
    let usage: String?
}

/// How the answering of one claimed job ended.
enum AnswerOutcome: Sendable {
    case answered(StoredAnswer)
    /// The message is failed and says why.
    case failed(JobFailure)
    /// Given back to the queue, or lost to another holder: this replica does not know the end.
    case handedOver
}

/// The answering stage: asks the model and stores what it said, behind the fence.
struct Answering: Sendable {
    let database: PostgresDatabase
    let model: any LanguageModel
    let prompts: PromptBuilder
    let events: EventHub
    /// Where readers of events find the text while it is written.
    let deltas: DeltaWriter
    let logger: Logger

    /// Answers a question whose asker waits for it: the model's failure is the message's failure.
    ///
    /// - Parameter onDelta: hears the text as the model writes it.
    func answer(
        _ job: ClaimedJob, context: QuestionContext, onDelta: @escaping @Sendable (String) async -> Void
    ) async -> AnswerOutcome {
        if job.lease.isOver() { return .handedOver }
        do throws(LanguageModelFailure) {
            return await store(try await ask(context, for: job, onDelta: onDelta), for: job)
        } catch {
            if Task.isCancelled { return .handedOver }
            return await fail(job, with: JobFailure(error))
        }
    }

    /// Answers a job from the queue: patient while the model is away.
    func answer(_ job: ClaimedJob) async -> AnswerOutcome {
        let context: QuestionContext
        do {
            guard let found = try await database.questionContext(of: job.questionID) else { return .handedOver }
            context = found
        } catch {
            logger.warning("question not loaded", metadata: ["job": "\(job.fence.jobID)", "error": "\(error)"])
            return await putOff(job, for: .seconds(2), isSpared: true)
        }
        if job.lease.isOver() { return .handedOver }
        do throws(LanguageModelFailure) {
            return await store(try await ask(context, for: job) { _ in }, for: job)
        } catch {
            if Task.isCancelled { return .handedOver }
            return await decide(about: job, after: error)
        }
    }

    private func ask(
        _ context: QuestionContext, for job: ClaimedJob, onDelta: @escaping @Sendable (String) async -> Void
    ) async throws(LanguageModelFailure) -> Completion {
        let prompt = prompt(for: context)
        do throws(LanguageModelFailure) {
            var completion = try await model.answer(prompt) { [deltas] text in
                await onDelta(text)
                deltas.add(text, to: job)
            }
            // Not every server counts, above all not in a stream.
            if completion.usage == nil {
                completion.usage = TokenUsage(estimatedFor: prompt, answer: completion.text)
            }
            return completion
        } catch {
            _ = await deltas.close(job.fence)
            throw error
        }
    }

    private func prompt(for context: QuestionContext) -> Prompt {
        prompts.prompt(
            question: context.question, history: context.turns, domain: context.domain,
            businessContext: context.businessContext)
    }

    /// What an answer has taken that was stopped: an estimate, as its server has not counted yet. Any replica knows it.
    ///
    /// - Returns: the contract's `usage` object as JSON.
    func usage(ofStopped text: String, in context: QuestionContext) -> String {
        UsageObject(usage: TokenUsage(estimatedFor: prompt(for: context), answer: text), model: model.name).json
    }

    private func store(_ completion: Completion, for job: ClaimedJob) async -> AnswerOutcome {
        let usage = completion.usage.map { UsageObject(usage: $0, model: completion.model).json }
        // NUL has no place in PostgreSQL's text; a model may say it all the same.
        let text = completion.text.replacingOccurrences(of: "\0", with: "\u{FFFD}")
        let hasDeltas = await deltas.close(job.fence)
        let isStored = await database.persist(job.fence, logger: logger) {
            try await database.completeJob(job.fence, answer: text, usage: usage, hasDeltas: hasDeltas)
        }
        if isStored {
            events.announce(job.conversationID)
            return .answered(StoredAnswer(messageID: job.answerID, text: text, usage: usage))
        }
        return await storedElsewhere(job)
    }

    /// The answer that somebody else stored, or that this replica stored without hearing of it.
    private func storedElsewhere(_ job: ClaimedJob) async -> AnswerOutcome {
        let answer = try? await database.storedAnswer(job.answerID)
        return answer.map(AnswerOutcome.answered) ?? .handedOver
    }

    private func fail(_ job: ClaimedJob, with failure: JobFailure) async -> AnswerOutcome {
        let isStored = await database.persist(job.fence, logger: logger) {
            try await database.failJob(job.fence, with: failure)
        }
        events.announce(job.conversationID)
        return isStored ? .failed(failure) : .handedOver
    }

    private func decide(about job: ClaimedJob, after failure: LanguageModelFailure) async -> AnswerOutcome {
        let decision = JobRetrySchedule.decide(
            kind: failure.kind, tries: job.tries, claims: job.fence.attempt, age: job.age,
            retryAfter: failure.retryAfter, jitter: .random(in: 0...1))
        switch decision {
        case .fail:
            return await fail(job, with: JobFailure(failure))
        case .again(let pause, let isSpared):
            logger.info(
                "answer put off",
                metadata: ["job": "\(job.fence.jobID)", "cause": "\(failure.cause)", "pause": "\(pause)"])
            return await putOff(job, for: pause, isSpared: isSpared)
        }
    }

    private func putOff(_ job: ClaimedJob, for pause: Duration, isSpared: Bool) async -> AnswerOutcome {
        _ = await database.persist(job.fence, logger: logger) {
            try await database.releaseJob(job.fence, after: pause, isSpared: isSpared)
        }
        events.announce(job.conversationID)
        return .handedOver
    }
}

extension QuestionContext {
    /// The history as pairs; a question that was answered again counts with its last answer.
    var turns: [HistoryTurn] {
        var turns: [HistoryTurn] = []
        var question: String?
        for message in history {
            if message.isQuestion {
                question = message.text
            } else if let asked = question {
                turns.append(HistoryTurn(question: asked, answer: message.text))
                question = nil
            } else if let last = turns.popLast() {
                turns.append(HistoryTurn(question: last.question, answer: message.text))
            }
        }
        return turns
    }
}
