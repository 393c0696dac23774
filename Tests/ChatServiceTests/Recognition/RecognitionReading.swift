import Foundation
import Glibc
import Logging
import TestSupport

@testable import ChatService

/// Settings of a slot whose children are the program that was built beside these tests.
func recognitionSettings(pageSeconds: Int = 60) -> RecognitionSettings {
    RecognitionSettings(
        pageSeconds: pageSeconds, executable: ProjectFolder.binaries.appending(path: "ChatService").path)
}

/// Lends a recognizing slot, and ends its child afterwards.
func withRecognizer<R>(
    pageSeconds: Int = 60, _ body: (RecognizerProcess) async throws -> R
) async throws -> R {
    try await Turnstile.recognizers.pass {
        let settings = recognitionSettings(pageSeconds: pageSeconds)
        let recognizer = RecognizerProcess(settings: settings, logger: Logger(label: "recognizer"))
        do {
            let result = try await body(recognizer)
            await recognizer.shutdown()
            return result
        } catch {
            await recognizer.shutdown()
            throw error
        }
    }
}

extension Fixture {
    /// Where the file lies.
    var file: URL { ProjectFolder.root.appending(path: "Tests/Fixtures").appending(path: path) }

    /// What its name says it is.
    var type: DocumentType? {
        let ending = String(name.split(separator: ".").last ?? "")
        let others = ["jpg": DocumentType.jpeg, "txt": .text, "md": .markdown]
        return others[ending] ?? DocumentType(rawValue: ending)
    }

    /// Whether its text is there to be taken, not to be recognised.
    var isText: Bool {
        type == .text || type == .markdown || type == .docx || name == "text_ru.pdf"
    }
}

extension RecognizerProcess {
    /// The pages of a file, parted by a blank line as in a message.
    func read(_ file: URL, _ type: DocumentType) async throws -> String {
        let count = try await open(path: file.path, type: type)
        var pages: [String] = []
        for number in 1...count {
            switch try await recognizePage(number) {
            case .text(let text): pages.append(text)
            case .unreadable(let reason): pages.append("[\(reason)]")
            }
        }
        return pages.joined(separator: "\n\n")
    }
}

/// How far a text is from the true one: edits over the length of the true text, every run of white space being one
/// blank. Counting stops at 40 %.
func characterErrorRate(_ text: String, of truth: String) -> Double {
    let read = squeezed(text)
    let true_ = squeezed(truth)
    let limit = max(true_.count * 2 / 5, 10)
    guard abs(read.count - true_.count) < limit else { return 0.4 }
    return Double(min(editDistance(read, true_, limit: limit), limit)) / Double(max(true_.count, 1))
}

private func squeezed(_ text: String) -> [UInt32] {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ").unicodeScalars.map(\.value)
}

/// Levenshtein's distance, computed only where fewer than `limit` edits lead to.
private func editDistance(_ one: [UInt32], _ other: [UInt32], limit: Int) -> Int {
    var row = (0...other.count).map { $0 <= limit ? $0 : limit }
    for (index, letter) in one.enumerated() {
        let from = max(0, index - limit)
        let to = min(other.count, index + limit)
        var diagonal = row[from]
        row[from] = from == 0 ? index + 1 : limit
        guard from < to else { continue }
        for column in from..<to {
            let above = row[column + 1]
            let change = letter == other[column] ? diagonal : diagonal + 1
            row[column + 1] = min(change, above + 1, row[column] + 1)
            diagonal = above
        }
    }
    return row[other.count]
}

/// The largest resident size a process had, in bytes; nil if the system does not tell (proc(5), `VmHWM`).
func residentPeak(of process: pid_t) throws -> Int? {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    return status.firstMatch(of: #/VmHWM:\s+(\d+) kB/#).flatMap { Int($0.1) }.map { $0 * 1024 }
}
