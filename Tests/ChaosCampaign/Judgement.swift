/// A message as the database holds it in the end.
struct StoredMessage: Hashable, Sendable {
    let id: Int
    let isQuestion: Bool
    let status: String
    let content: String
    let replyTo: Int?
    let generation: Int
    let errorCode: String?
    /// Seconds since 1970, on the database's clock; an answer is made when it is stored.
    var createdAt = 0.0
}

/// How long a question waited for its answer.
struct Wait: Hashable, Sendable {
    var mark = "none"
    var way = SentQuestion.Way.plain
    var seconds = 0.0
}

/// The oracle: what was promised, against what is there. Pure.
struct Judgement: Sendable {
    /// Failures that a healthy document may end with: those of the model.
    static let allowedFailures: Set = ["llm_failed", "llm_unavailable", "llm_timeout"]

    private let promises: [String: Promise]
    private let questions: [StoredMessage]
    private let answers: [Int: [StoredMessage]]

    init(promises: [Promise], stored: [StoredMessage]) {
        self.promises = Dictionary(uniqueKeysWithValues: promises.map { ($0.sent.mark, $0) })
        questions = stored.filter(\.isQuestion)
        answers = Dictionary(grouping: stored.filter { !$0.isQuestion }, by: { $0.replyTo ?? 0 })
    }

    /// Every broken promise, as a sentence.
    var findings: [String] { lost + questions.flatMap(findings) + repeated }

    /// Of the questions that were answered without anybody cancelling or retrying them, the one that waited longest.
    var longestWait: Wait {
        questions.compactMap { question -> Wait? in
            guard let mark = ChaosModel.mark(in: question.content), let promise = promises[mark], !promise.isTouched,
                let answer = answers[question.id]?.first(where: { $0.generation == 0 })
            else { return nil }
            return Wait(mark: mark, way: promise.sent.way, seconds: answer.createdAt - question.createdAt)
        }.max { $0.seconds < $1.seconds } ?? Wait()
    }

    /// Acknowledged ids that are not there.
    private var lost: [String] {
        let there = Dictionary(grouping: questions, by: \.id)
        return promises.values.sorted { $0.sent.mark < $1.sent.mark }.compactMap { promise in
            guard let id = promise.messageID else { return nil }
            guard let message = there[id]?.first else { return "\(promise.sent.mark): message \(id) is lost" }
            let mark = ChaosModel.mark(in: message.content)
            return mark == promise.sent.mark ? nil : "\(promise.sent.mark): message \(id) is another's (\(mark ?? "-"))"
        }
    }

    /// Questions that are there more than once.
    private var repeated: [String] {
        let marks = Dictionary(grouping: questions, by: { ChaosModel.mark(in: $0.content) ?? "-" })
        return marks.filter { $0.value.count > 1 }.map { mark, messages in
            "\(mark): stored \(messages.count) times, as \(messages.map(\.id).sorted())"
        }.sorted()
    }

    private func findings(of question: StoredMessage) -> [String] {
        guard let mark = ChaosModel.mark(in: question.content), let promise = promises[mark] else {
            return ["message \(question.id) was never sent: \(question.content.prefix(60))"]
        }
        var found: [String] = []
        if let refusal = promise.refusal { found.append("refused with \(refusal), but stored") }
        if let seen = promise.seenFinal, !promise.isTouched || seen == "completed", seen != question.status {
            found.append("seen as \(seen), ends as \(question.status)")
        }
        found += findings(ofContent: question, promise) + findings(ofAnswersTo: question, promise)
        return found.map { "\(mark) (message \(question.id)): \($0)" }
    }

    private func findings(ofContent question: StoredMessage, _ promise: Promise) -> [String] {
        switch question.status {
        case "completed":
            guard question.content != promise.sent.content else { return [] }
            return ["content is \(question.content.debugDescription.prefix(200)), not what was sent"]
        case "failed":
            let code = question.errorCode ?? "no code"
            return Self.allowedFailures.contains(code) ? [] : ["failed with \(code)"]
        case "cancelled": return promise.isTouched ? [] : ["cancelled, which nobody asked for"]
        default: return ["has no end: \(question.status)"]
        }
    }

    private func findings(ofAnswersTo question: StoredMessage, _ promise: Promise) -> [String] {
        let all = answers[question.id] ?? []
        // A cancelled question keeps what was written of its answer, as a cancelled one.
        let first = all.filter { $0.generation == 0 && $0.status == "completed" }
        var found: [String] = []
        let expected = question.status == "completed" ? 1 : 0
        if first.count != expected { found.append("\(question.status) with \(first.count) answers") }
        if Set(all.map(\.generation)).count != all.count { found.append("two answers of one generation") }
        let right = ChaosModel.answer(to: promise.sent.mark)
        for answer in all {
            switch answer.status {
            case "completed":
                if answer.content != right { found.append("answered with \(answer.content.debugDescription)") }
            case "processing": found.append("answer \(answer.id) has no end")
            default: break
            }
        }
        if let told = promise.answer {
            if told.text != right { found.append("200 said \(told.text.debugDescription)") }
            if first.first?.id != told.id { found.append("200 named answer \(told.id), stored is \(first.map(\.id))") }
        }
        return found
    }
}
