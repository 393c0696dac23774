import Foundation
import Synchronization
import TestSupport

/// What was sent, whatever became of it.
struct SentQuestion: Hashable, Sendable {
    /// How the question came in.
    enum Way: String, Sendable { case plain, stream, file }

    let mark: String
    let way: Way
    /// What the question's content must be in the end.
    let content: String
}

/// What the client knows of one question.
struct Promise: Hashable, Sendable {
    let sent: SentQuestion
    /// From a 202, a 200, an `accepted` event or a problem that names the message.
    var messageID: Int?
    /// The answer of a 200.
    var answer: (id: Int, text: String)? {
        get { answerID.map { ($0, answerText ?? "") } }
        set { (answerID, answerText) = (newValue?.id, newValue?.text) }
    }
    private var answerID: Int?
    private var answerText: String?
    /// An answer that says that nothing was stored.
    var refusal: String?
    /// The first final status that was seen since the last `retry`.
    var seenFinal: String?
    /// Whether the client has asked to cancel or to retry: then the final status may change.
    var isTouched = false

    init(sent: SentQuestion) { self.sent = sent }
}

/// The external log: every question sent and every promise given, in a file and in memory.
final class Promises: Sendable {
    private struct State {
        var byMark: [String: Promise] = [:]
        var refusals: [String: Int] = [:]
        var accepted202 = 0
        var answered200 = 0
        /// Answers that no state of the parts can justify.
        var faults: [String] = []
    }

    private let state = Mutex(State())
    private let file: FileHandle

    init(file url: URL) throws {
        guard FileManager.default.createFile(atPath: url.path, contents: nil) else {
            throw SuiteFault(description: "cannot write \(url.path)")
        }
        file = try FileHandle(forWritingTo: url)
    }

    var all: [Promise] { state.withLock { Array($0.byMark.values) } }
    var refusals: [String: Int] { state.withLock { $0.refusals } }
    var accepted202: Int { state.withLock { $0.accepted202 } }
    var answered200: Int { state.withLock { $0.answered200 } }
    var faults: [String] { state.withLock { $0.faults } }

    subscript(mark: String) -> Promise? { state.withLock { $0.byMark[mark] } }

    /// Before it is sent.
    func send(_ sent: SentQuestion) {
        write("sent \(sent.mark) \(sent.way.rawValue)")
        state.withLock { $0.byMark[sent.mark] = Promise(sent: sent) }
    }

    /// The question is stored: `message_id` of a 202, `user_message_id` of everything else.
    func accepted(_ mark: String, _ messageID: Int, as what: String) {
        write("\(what) \(mark) message \(messageID)")
        compare(mark, messageID)
        state.withLock { state in
            if what == "202" { state.accepted202 += 1 }
            state.byMark[mark]?.messageID = messageID
        }
    }

    /// A repeated call must be told of the same message.
    private func compare(_ mark: String, _ messageID: Int) {
        if let before = self[mark]?.messageID, before != messageID {
            fault("\(mark) is message \(before), and then \(messageID)")
        }
    }

    /// A 200 with the answer.
    func answered(_ mark: String, _ messageID: Int, answer: (id: Int, text: String)) {
        write("200 \(mark) message \(messageID) answer \(answer.id)")
        compare(mark, messageID)
        if let before = self[mark]?.answer, before != answer { fault("\(mark) was given two answers") }
        state.withLock { state in
            state.answered200 += 1
            state.byMark[mark]?.messageID = messageID
            state.byMark[mark]?.answer = answer
            state.byMark[mark]?.seenFinal = "completed"
        }
    }

    /// Counts an answer that is neither 200 nor 202, or a lost connection.
    /// - Parameter isFinal: whether it says that nothing was stored.
    func refused(_ mark: String?, _ code: String, isFinal: Bool) {
        write("refused \(mark ?? "-") \(code)\(isFinal ? "" : " (outcome unknown)")")
        state.withLock { state in
            state.refusals[code, default: 0] += 1
            if isFinal, let mark { state.byMark[mark]?.refusal = code }
        }
    }

    /// A final status that `GET` showed.
    func seen(_ mark: String, _ status: String) {
        write("seen \(mark) \(status)")
        let changed = state.withLock { state -> String? in
            guard var promise = state.byMark[mark] else { return nil }
            defer { state.byMark[mark] = promise }
            if let before = promise.seenFinal, before != status, !promise.isTouched || before == "completed" {
                return before
            }
            promise.seenFinal = status
            return nil
        }
        if let changed { fault("\(mark) was \(changed), then \(status)") }
    }

    /// Before a cancel or retry is sent.
    func touched(_ mark: String) {
        write("touched \(mark)")
        state.withLock { $0.byMark[mark]?.isTouched = true }
    }

    /// Something that must never be answered.
    func fault(_ what: String) {
        write("fault \(what)")
        state.withLock { $0.faults.append(what) }
    }

    /// Beside the log, what was done to the replicas.
    func note(_ what: String) { write(what) }

    private func write(_ line: String) {
        // Lines of several tasks must not mix; the file is as good as the page cache, which outlives this process.
        state.withLock { _ in file.write(Data("\(Date().timeIntervalSince1970) \(line)\n".utf8)) }
    }
}
