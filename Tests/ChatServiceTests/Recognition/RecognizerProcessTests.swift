import Foundation
import Glibc
import TestSupport
import Testing

@testable import ChatService

@Suite("The recognizing child", .serialized, .tags(.long))
struct RecognizerProcessTests {
    private let letter = Fixture("documents/letter_en_clean.png")
    private let note = Fixture("documents/note_utf8.txt")

    @Test func aChildThatDiesCostsOnePageAndTheNextCallOpensTheDocumentAgain() async throws {
        try await withRecognizer { recognizer in
            _ = try await recognizer.open(path: letter.file.path, type: .png)
            let first = try await stopped(recognizer)
            let page = Task { try await recognizer.recognizePage(1) }
            kill(first, SIGKILL)
            let failure = await #expect(throws: RecognitionFailure.self) { try await page.value }
            #expect(failure == .crashed("signal 9"))
            let next = try await recognizer.recognizePage(1)
            #expect(next != .text(""))
            let second = await recognizer.childProcessID
            #expect(second != first)
        }
    }

    @Test func aChildThatHangsIsKilledAtTheDeadline() async throws {
        try await withRecognizer(pageSeconds: 1) { recognizer in
            _ = try await recognizer.open(path: note.file.path, type: .text)
            let first = try await stopped(recognizer)
            await #expect(throws: RecognitionFailure.timedOut) { try await recognizer.recognizePage(1) }
            #expect(kill(first, 0) == -1)
            let next = try await recognizer.recognizePage(1)
            #expect(next != .text(""))
        }
    }

    /// Where the kernel groups by session, a nice value alone would hold only against the child's own session.
    @Test func theChildStandsBackBehindOtherSessionsToo() async throws {
        try await withRecognizer { recognizer in
            _ = try await recognizer.open(path: note.file.path, type: .text)
            let child = try #require(await recognizer.childProcessID)
            let niceness = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(child))
            #expect(getsid(child) == child && niceness >= Confinement.niceness)
            guard let group = try? String(contentsOfFile: "/proc/\(child)/autogroup", encoding: .utf8) else { return }
            #expect(group.hasSuffix("nice \(Confinement.niceness)\n"))
        }
    }

    @Test func interruptEndsTheCallThatIsUnderWay() async throws {
        try await withRecognizer { recognizer in
            _ = try await recognizer.open(path: note.file.path, type: .text)
            _ = try await stopped(recognizer)
            let page = Task { try await recognizer.recognizePage(1) }
            while !recognizer.isCallUnderWay { await Task.yield() }
            recognizer.interrupt()
            await #expect(throws: RecognitionFailure.cancelled) { try await page.value }
            let next = try await recognizer.recognizePage(1)
            #expect(next != .text(""))
        }
    }

    @Test func cancellingTheTaskInterrupts() async throws {
        try await withRecognizer { recognizer in
            _ = try await recognizer.open(path: note.file.path, type: .text)
            _ = try await stopped(recognizer)
            let page = Task { try await recognizer.recognizePage(1) }
            page.cancel()
            await #expect(throws: RecognitionFailure.cancelled) { try await page.value }
        }
    }

    @Test func interruptBetweenCallsIsOfNoEffect() async throws {
        try await withRecognizer { recognizer in
            _ = try await recognizer.open(path: note.file.path, type: .text)
            recognizer.interrupt()
            let next = try await recognizer.recognizePage(1)
            #expect(next != .text(""))
        }
    }

    @Test func fiftyChildrenLeaveNeitherDescriptorsNorProcesses() async throws {
        try await withRecognizer { recognizer in
            _ = try await recognizer.open(path: note.file.path, type: .text)
            var children: [pid_t] = []
            var sockets: [(descriptor: Int32, inode: UInt)] = []
            for _ in 0..<50 {
                children.append(try #require(await recognizer.childProcessID))
                let socket = try #require(await recognizer.childSocket)
                sockets.append((socket, inode(of: socket)))
                await recognizer.shutdown()
                _ = try await recognizer.open(path: note.file.path, type: .text)
            }
            await recognizer.shutdown()
            // A zombie still answers to signal 0.
            #expect(children.allSatisfy { kill($0, 0) == -1 })
            #expect(sockets.allSatisfy { $0.inode > 0 && inode(of: $0.descriptor) != $0.inode })
        }
    }

    @Test func theEndOfTheSlotIsTheEndOfItsChild() async throws {
        let child = try await {
            let recognizer = RecognizerProcess(settings: recognitionSettings(), logger: .init(label: "recognizer"))
            _ = try await recognizer.open(path: note.file.path, type: .text)
            return try #require(await recognizer.childProcessID)
        }()
        _ = try await polling(for: "the end of the child", atMost: .seconds(10)) { kill(child, 0) == -1 ? true : nil }
    }

    @Test func aMissingFileAndAMissingProgramAreFaultsOfTheHouse() async throws {
        let failure = try await withRecognizer { recognizer in
            await #expect(throws: RecognitionFailure.self) {
                try await recognizer.open(path: "/nowhere/at-all", type: .png)
            }
        }
        #expect(failure == .unavailable("/nowhere/at-all: No such file or directory"))
        let settings = RecognitionSettings(executable: "/nowhere/ChatService")
        let recognizer = RecognizerProcess(settings: settings, logger: .init(label: "recognizer"))
        await #expect(
            throws: RecognitionFailure.unavailable("/nowhere/ChatService cannot be started: No such file or directory")
        ) { try await recognizer.open(path: note.file.path, type: .text) }
    }

    @Test func aLanguageThatIsNotInstalledIsAFaultOfTheHouse() async throws {
        var settings = recognitionSettings()
        settings.languages = "tlh"
        let recognizer = RecognizerProcess(settings: settings, logger: .init(label: "recognizer"))
        _ = try await recognizer.open(path: letter.file.path, type: .png)
        await #expect(throws: RecognitionFailure.unavailable("Tesseract has no data for tlh")) {
            try await recognizer.recognizePage(1)
        }
        await recognizer.shutdown()
    }

    /// What a descriptor stands for; 0 if it is closed.
    private func inode(of descriptor: Int32) -> UInt {
        var about = stat()
        return fstat(descriptor, &about) == 0 ? about.st_ino : 0
    }

    /// Stops the child, so that it will not answer.
    private func stopped(_ recognizer: RecognizerProcess) async throws -> pid_t {
        let child = try #require(await recognizer.childProcessID)
        kill(child, SIGSTOP)
        return child
    }
}
