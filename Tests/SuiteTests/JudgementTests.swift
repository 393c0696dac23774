import Foundation
import TestSupport
import Testing

@testable import Chaos

/// The oracle finds what it is there to find: each test breaks one promise.
@Suite("The campaign's oracle")
struct JudgementTests {
    private let mark = ChaosModel.mark(1)
    private var sent: SentQuestion { SentQuestion(mark: mark, way: .plain, content: "\(mark) Why?") }

    /// A question that was answered with 200.
    private var promise: Promise {
        var promise = Promise(sent: sent)
        promise.messageID = 10
        promise.answer = (11, ChaosModel.answer(to: mark))
        promise.seenFinal = "completed"
        return promise
    }
    private var stored: [StoredMessage] { [question(), answer()] }

    private func question(
        _ id: Int = 10, status: String = "completed", content: String? = nil, code: String? = nil
    ) -> StoredMessage {
        StoredMessage(
            id: id, isQuestion: true, status: status, content: content ?? sent.content, replyTo: nil, generation: 0,
            errorCode: code)
    }

    private func answer(
        _ id: Int = 11, to question: Int = 10, text: String? = nil, status: String = "completed", generation: Int = 0
    ) -> StoredMessage {
        StoredMessage(
            id: id, isQuestion: false, status: status, content: text ?? ChaosModel.answer(to: mark),
            replyTo: question, generation: generation, errorCode: nil)
    }

    private func findings(_ promise: Promise, _ stored: [StoredMessage]) -> [String] {
        Judgement(promises: [promise], stored: stored).findings
    }

    @Test func aKeptPromiseIsNoFinding() {
        #expect(findings(promise, stored) == [])
        #expect(findings(promise, stored + [answer(12, generation: 1)]) == [], "regenerated")
    }

    @Test func theLongestWaitIsThatOfAQuestionWhichNobodyTouched() {
        let (asked, told) = (question(), answer())
        let times = [asked, told].map { message in
            var message = message
            message.createdAt = message.isQuestion ? 100 : 107.5
            return message
        }
        #expect(Judgement(promises: [promise], stored: times).longestWait == Wait(mark: mark, seconds: 7.5))
        var touched = promise
        touched.isTouched = true
        #expect(Judgement(promises: [touched], stored: times).longestWait == Wait())
    }

    @Test func aLostAcknowledgedQuestionIsFound() {
        #expect(findings(promise, []) == ["\(mark): message 10 is lost"])
        #expect(findings(Promise(sent: sent), []) == [], "nothing was promised")
    }

    @Test func aQuestionWithoutEndIsFound() {
        #expect(findings(Promise(sent: sent), [question(status: "processing")]).first?.contains("has no end") == true)
        #expect(findings(promise, stored + [answer(12, status: "processing", generation: 1)]).count == 1)
    }

    @Test func aSecondAnswerOrQuestionIsFound() {
        #expect(findings(promise, stored + [answer(12)]).contains { $0.contains("completed with 2 answers") })
        #expect(findings(promise, stored + [question(20), answer(21, to: 20)]).contains { $0.contains("2 times") })
    }

    @Test func anAnswerThatIsMissingOrUncalledForIsFound() {
        #expect(findings(Promise(sent: sent), [question()]).first?.contains("completed with 0 answers") == true)
        let failed = question(status: "failed", code: "llm_failed")
        #expect(findings(Promise(sent: sent), [failed]) == [])
        #expect(findings(Promise(sent: sent), [failed, answer(text: "Ha", status: "cancelled")]) == [], "a part")
        #expect(findings(Promise(sent: sent), [failed, answer()]).first?.contains("failed with 1 answers") == true)
    }

    @Test func aTruncatedOrAnothersAnswerIsFound() {
        let half = String(ChaosModel.answer(to: mark).prefix(20))
        #expect(findings(promise, [question(), answer(text: half)]).count == 1)
        #expect(findings(promise, [question(), answer(text: ChaosModel.answer(to: ChaosModel.mark(2)))]).count == 1)
    }

    @Test func whatWasNeverSentOrWasRefusedIsFound() {
        #expect(findings(promise, stored + [question(30, content: "hello")]).contains { $0.contains("never sent") })
        var refused = Promise(sent: sent)
        refused.refusal = "queue_full"
        #expect(findings(refused, stored).first?.contains("refused with queue_full, but stored") == true)
    }

    @Test func anEndThatChangesIsFound() {
        var seen = Promise(sent: sent)
        seen.seenFinal = "failed"
        #expect(findings(seen, stored).first?.contains("seen as failed") == true)
        seen.isTouched = true
        #expect(findings(seen, stored) == [], "it was retried")
    }

    @Test func aGoodDocumentThatFailsForAnotherReasonThanTheModelIsFound() {
        let crashed = question(status: "failed", code: "recognition_crashed")
        #expect(findings(Promise(sent: sent), [crashed]).first?.contains("failed with recognition_crashed") == true)
    }

    @Test func textThatIsNotWhatWasSentIsFound() {
        let twice = question(content: "\(sent.content) Why?")
        #expect(findings(promise, [twice, answer()]).first?.contains("not what was sent") == true)
    }

    @Test func anAnswerOtherThanTheOneToldIsFound() {
        #expect(findings(promise, [question(), answer(12)]).first?.contains("200 named answer 11") == true)
    }
}
