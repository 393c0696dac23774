import Foundation
import Synchronization
import TestSupport

/// The language model of a campaign: it answers each question with a sentence that is a function of it, except when it
/// is in a mood.
final class ChaosModel: Sendable {
    /// How it misbehaves.
    enum Mood: Sendable { case well, hangs, fails, truncates, refuses, vanishes }

    private let mood = Mutex<(current: Mood, number: Int)>((.well, 0))

    /// Puts it into a mood until `recover` is called with the result, or until the next mood.
    func fall(into mood: Mood) -> Int {
        self.mood.withLock { state in
            state = (mood, state.number + 1)
            return state.number
        }
    }

    /// Ends the mood of that number, if it is still the present one.
    func recover(from number: Int) {
        mood.withLock { state in if state.number == number { state.current = .well } }
    }

    /// The one right answer to the question with this mark.
    static func answer(to mark: String) -> String { "This is the whole answer to \(mark), and no other." }

    /// In no word of any language.
    private static let markPrefix = "zq"

    /// Marks tell questions apart, wherever their text goes.
    static func mark(_ number: Int) -> String {
        let digits = String(number)
        return markPrefix + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// The mark of a text: the first one, as a question begins with its own.
    static func mark(in text: some StringProtocol) -> String? { mark(at: text.range(of: markPrefix), in: text) }

    /// The question is the last thing in a request.
    static func markOfQuestion(in body: String) -> String? {
        let text = (try? JSON(parsing: Data(body.utf8)))?["messages"].array.last?["content"].string
        return text.flatMap { mark(in: $0) }
    }

    private static func mark(at range: Range<String.Index>?, in text: some StringProtocol) -> String? {
        range.map { markPrefix + text[$0.upperBound...].prefix { $0.isASCII && $0.isNumber } }
    }

    /// The script for `ScriptedModelServer`.
    @Sendable func steps(_ number: Int, _ request: ScriptedModelServer.Request) -> [ScriptedModelServer.Step] {
        let answer = Self.answer(to: Self.markOfQuestion(in: request.body) ?? "nothing")
        let half = answer.count / 2
        switch mood.withLock(\.current) {
        case .well:
            return [.pause(.milliseconds(20 + number % 7 * 20))]
                + ScriptedModelServer.answer(String(answer.prefix(half)), String(answer.dropFirst(half)))
        case .hangs: return number % 2 == 0 ? [.hang] : [.streamHead, .delta(String(answer.prefix(half))), .hang]
        case .fails: return ScriptedModelServer.refusal(500)
        case .truncates:
            let beginning: [ScriptedModelServer.Step] = [.streamHead, .delta(String(answer.prefix(half)))]
            return number % 2 == 0 ? beginning : beginning + [.drop]
        case .refuses: return ScriptedModelServer.refusal(429, headers: ["Retry-After": "1"])
        case .vanishes: return [.drop]
        }
    }
}
