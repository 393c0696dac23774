/// An earlier question of a conversation with its answer.
package struct HistoryTurn: Sendable, Equatable {
    package var question: String
    /// Nil when there is none: the question failed, was cancelled or is still being worked on.
    package var answer: String?

    package init(question: String, answer: String?) {
        self.question = question
        self.answer = answer
    }
}

/// Puts a prompt together: system text, as much history as the budget allows, the question.
///
/// All budgets are in tokens as `TokenEstimate` counts them. What does not fit is cut, never silently: a marker stands
/// in the place of the gap and the system text tells the model what it means.
package struct PromptBuilder: Sendable {
    /// The longest question, document text included. With history, system text and room for an answer it stays within
    /// the 128,000 tokens that current models have; of a longer one the beginning (the user's own words and the first
    /// pages) and the end (totals, signatures) are kept, three to one, and the middle is left out.
    package static let questionTokensDefault = 96_000
    /// The least that `questionTokens` may be: markers of gaps need some room themselves.
    package static let questionTokensMin = 1_000
    /// The longest business context.
    package static let businessContextTokensMax = 4_000
    /// A turn that no longer fits the budget is shortened into what is left of it, if at least this much is left.
    package static let shortenedTurnTokensMin = 400

    private let domains: Domains
    private let historyTokens: Int
    private let questionTokens: Int

    /// - Parameters:
    ///   - historyTokens: the budget of all earlier turns together; 0 sends none.
    ///   - questionTokens: the longest question; a longer one loses its middle.
    package init(
        domains: Domains, historyTokens: Int, questionTokens: Int = PromptBuilder.questionTokensDefault
    ) {
        precondition(historyTokens >= 0 && questionTokens >= Self.questionTokensMin)
        self.domains = domains
        self.historyTokens = historyTokens
        self.questionTokens = questionTokens
    }

    /// The prompt for a question.
    ///
    /// - Parameters:
    ///   - question: the content of the user's message, recognised text included.
    ///   - history: earlier turns, oldest first. The newest are taken; pairs stay whole; unanswered ones are left out.
    ///   - domain: what the request named; nil or unknown means general.
    ///   - businessContext: what the conversation says about the user's business.
    package func prompt(
        question: String, history: [HistoryTurn], domain: String?, businessContext: String?
    ) -> Prompt {
        let words = PromptWords(language: PromptLanguage(of: question))
        let domain = domain.flatMap { domains[$0] } ?? domains.general
        let question = words.shortened(question, tokens: questionTokens)
        let turns = messages(of: history, words: words)
        let isCut = question.isShortened || turns.contains { $0.isShortened }
        var system = [domain.prompts[words.language] ?? "", words.rules]
        if isCut { system.append(words.ruleOfGaps) }
        if let context = words.businessContext(businessContext) { system.append(context) }
        let messages =
            [PromptMessage(role: .system, content: system.joined(separator: "\n\n"))]
            + turns.map { PromptMessage(role: $0.role, content: $0.text) }
            + [PromptMessage(role: .user, content: question.text)]
        return Prompt(messages: messages)
    }

    /// The newest turns within the budget, oldest first. The first that does not fit is shortened into the rest of the
    /// budget (often it is the question that brought the document), and nothing older follows it.
    private func messages(of history: [HistoryTurn], words: PromptWords) -> [HistoryMessage] {
        var rest = historyTokens
        var newestFirst: [HistoryMessage] = []
        for turn in history.reversed() {
            guard let answer = turn.answer, !answer.isEmpty else { continue }
            rest -= 2 * TokenEstimate.perMessage
            let answerCost = TokenEstimate.tokens(in: answer)
            let cost = TokenEstimate.tokens(in: turn.question) + answerCost
            if cost > rest, rest < Self.shortenedTurnTokensMin { break }
            let answerText = words.shortened(answer, tokens: cost > rest ? max(rest / 2, 1) : rest)
            let answerTokens = TokenEstimate.tokens(in: answerText.text)
            let questionText = words.shortened(turn.question, tokens: rest - answerTokens)
            newestFirst.append(
                HistoryMessage(role: .assistant, text: answerText.text, isShortened: answerText.isShortened))
            newestFirst.append(
                HistoryMessage(role: .user, text: questionText.text, isShortened: questionText.isShortened))
            rest -= cost
            if rest <= 0 { break }
        }
        return newestFirst.reversed()
    }
}

/// A message of an earlier turn, perhaps shortened.
private struct HistoryMessage {
    var role: PromptMessage.Role
    var text: String
    var isShortened: Bool
}
