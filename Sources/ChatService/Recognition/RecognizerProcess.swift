import Glibc
import Logging
import Shared
import Synchronization

/// One recognizing slot: drives one confined child, and replaces it when it dies.
///
/// Documents are read one after another: `open`, then `recognizePage` as often as wanted, in any order. A call blocks
/// a thread of this slot's own, never one of the cooperative pool. After a child died the next call starts another,
/// which opens the document again by itself. Cancelling the task of a call does what `interrupt()` does.
actor RecognizerProcess {
    private let settings: RecognitionSettings
    private let logger: Logger
    private let executor: ThreadExecutor
    private let call = Mutex(Call())
    private var child: RecognizerChild?
    private var document: (path: String, type: DocumentType)?
    /// Whether `child` has `document` open.
    private var isOpen = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// The call that is under way, as other threads see it.
    private struct Call {
        var isUnderWay = false
        var isInterrupted = false
        /// Who to kill.
        var child: RecognizerChild?
        /// Whether `child` was, perhaps when its answer was there already: then the next call must not meet it.
        var isChildKilled = false
    }

    init(settings: RecognitionSettings, logger: Logger) {
        self.settings = settings
        self.logger = logger
        executor = ThreadExecutor(name: "recognizer")
    }

    /// Gives the child a document and lets it check the header.
    /// - Parameter path: a regular file; it has to stay until the last page is read.
    /// - Returns: the number of pages, 1 to `DocumentLimits.pages`.
    nonisolated func open(path: String, type: DocumentType) async throws(RecognitionFailure) -> Int {
        let reply = try await interruptibly { try await self.openInChild(path, type) }
        guard reply.tag == .pages, let pages = Int(reply.payload) else { throw unexpected(reply) }
        return pages
    }

    /// Reads one page of the document opened last.
    /// - Parameter number: from 1 to what `open` returned.
    nonisolated func recognizePage(_ number: Int) async throws(RecognitionFailure) -> RecognizedPage {
        let reply = try await interruptibly { try await self.readInChild(number) }
        switch reply.tag {
        case .text: return .text(reply.payload)
        case .unreadablePage: return .unreadable(reply.payload)
        default: throw unexpected(reply)
        }
    }

    /// Ends the call that is under way, if one is, with `.cancelled`, by killing the child. From any thread.
    nonisolated func interrupt() {
        call.withLock { call in
            guard call.isUnderWay else { return }
            call.isInterrupted = true
            call.isChildKilled = true
            call.child?.kill()
        }
    }

    /// Ends the child, after the call under way if there is one; a later call would start another.
    func shutdown() {
        document = nil
        endChild()
    }

    /// The child's process id, if one is alive.
    var childProcessID: pid_t? { child?.processID }
    /// Our end of the socket to it.
    var childSocket: Int32? { child?.socket.descriptor }
    /// Whether somebody waits for an answer of the child.
    nonisolated var isCallUnderWay: Bool { call.withLock(\.isUnderWay) }

    private nonisolated func interruptibly(
        _ body: @Sendable () async throws -> RecognitionFrame
    ) async throws(RecognitionFailure) -> RecognitionFrame {
        call.withLock { ($0.isUnderWay, $0.isInterrupted) = (true, false) }
        defer { call.withLock { $0.isUnderWay = false } }
        do {
            return try await withTaskCancellationHandler(operation: body, onCancel: { interrupt() })
        } catch let failure as RecognitionFailure {
            throw failure
        } catch {
            throw .crashed("\(error)")
        }
    }

    private nonisolated func unexpected(_ reply: RecognitionFrame) -> RecognitionFailure {
        reply.failure ?? .crashed("answered \(reply.tag) to another question")
    }
}

// What runs on the slot's own thread.
extension RecognizerProcess {
    private func openInChild(_ path: String, _ type: DocumentType) throws(RecognitionFailure) -> RecognitionFrame {
        document = (path, type)
        isOpen = false
        return try openDocument(in: try startedChild())
    }

    private func readInChild(_ number: Int) throws(RecognitionFailure) -> RecognitionFrame {
        let child = try startedChild()
        if !isOpen {
            let reply = try openDocument(in: child)
            guard reply.tag == .pages else { return reply }
        }
        return try ask(child, RecognitionFrame(tag: .page, payload: String(number)))
    }

    private func openDocument(in child: RecognizerChild) throws(RecognitionFailure) -> RecognitionFrame {
        guard let document else { throw .unavailable("no document is open") }
        let file = Glibc.open(document.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw .unavailable("\(document.path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        let reply = try ask(child, RecognitionFrame(tag: .open, payload: document.type.rawValue), file: file)
        isOpen = reply.tag == .pages
        return reply
    }

    /// The child, started if there is none.
    private func startedChild() throws(RecognitionFailure) -> RecognizerChild {
        if call.withLock(\.isChildKilled) { endChild() }
        if child == nil {
            let started = try RecognizerChild(settings)
            child = started
            isOpen = false
            logger.debug("recognizer started", metadata: ["pid": "\(started.processID ?? 0)"])
        }
        let isInterrupted = call.withLock { call in
            call.child = child
            return call.isInterrupted
        }
        guard !isInterrupted, let child else {
            // Interrupted before it was asked: the child is dead already.
            endChild()
            throw .cancelled
        }
        return child
    }

    /// One question, one answer, before the deadline; else the child is ended and the failure says why.
    private func ask(
        _ child: RecognizerChild, _ question: RecognitionFrame, file: Int32? = nil
    ) throws(RecognitionFailure) -> RecognitionFrame {
        do throws(RecognitionSocket.Failure) {
            try child.socket.send(question, file: file)
            let deadline = PageDeadline(seconds: settings.pageSeconds) { child.starvation }
            let (reply, stray) = try child.socket.receive(maxBytes: RecognitionFrame.replyBytesMax, deadline: deadline)
            if let stray { close(stray) }
            return reply
        } catch {
            throw failure(of: error)
        }
    }

    private func failure(of error: RecognitionSocket.Failure) -> RecognitionFailure {
        let ending = endChild()
        if call.withLock({ $0.isInterrupted }) { return .cancelled }
        logger.warning(
            "recognizer ended", metadata: ["cause": "\(error)", "ending": "\(ending.map(String.init) ?? "unknown")"])
        if error == .timedOut || ending?.signal == SIGXCPU { return .timedOut }
        return .crashed(error == .malformed ? "malformed answer" : ending.map(String.init) ?? "unknown")
    }

    @discardableResult
    private func endChild() -> RecognizerChild.Ending? {
        call.withLock { ($0.child, $0.isChildKilled) = (nil, false) }
        defer {
            child = nil
            isOpen = false
        }
        return child?.end()
    }
}
