import CLinux
import Glibc

/// A program run to its end inside the child's cage: one of poppler's.
///
/// Its input is the document's descriptor; what it puts out and what it says are pipes that are read up to a bound.
/// There is no deadline here: the parent has one, and kills this process and the program together.
struct ProgramRun {
    /// What is kept of its messages; what follows is let go.
    private static let messageBytesMax = 64 << 10

    let output: [UInt8]
    /// What it said on descriptor 2.
    private let messageBytes: [UInt8]
    /// Whether it exited by itself with status 0.
    let succeeded: Bool

    /// - Parameters:
    ///   - arguments: the program, looked up in PATH, and its arguments.
    ///   - input: becomes descriptor 0, from its beginning.
    ///   - maxBytes: output past it ends the program.
    init(_ arguments: [String], input: Int32, maxBytes: Int) throws(RecognitionFailure) {
        lseek(input, 0, SEEK_SET)
        let output = try Pipe()
        let messages = try Pipe()
        let program = try Self.spawn(arguments, input: input, output: output, messages: messages)
        output.closeWritingEnd()
        messages.closeWritingEnd()
        var isWhole = true
        while isWhole, output.isOpen || messages.isOpen {
            for pipe in Pipe.readable(output, messages) { pipe.read() }
            isWhole = output.bytes.count <= maxBytes
            messages.cut(to: Self.messageBytesMax)
        }
        if !isWhole { kill(program, SIGKILL) }
        var status: Int32 = 0
        while waitpid(program, &status, 0) < 0, errno == EINTR {}
        self.output = output.bytes
        messageBytes = messages.bytes
        succeeded = isWhole && status == 0
    }

    /// The output as lines of text.
    var lines: [Substring] { Self.lines(of: output) }

    /// What it complained about, a line each. Poppler says "Syntax Warning" of what it can do without.
    var complaints: [Substring] { Self.lines(of: messageBytes).filter { !$0.hasPrefix("Syntax Warning") } }

    private static func lines(of bytes: [UInt8]) -> [Substring] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    private static func spawn(
        _ arguments: [String], input: Int32, output: Pipe, messages: Pipe
    ) throws(RecognitionFailure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output.writingEnd, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, messages.writingEnd, STDERR_FILENO)
        posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1)
        var program = pid_t()
        let code = withCStrings(arguments) { posix_spawnp(&program, arguments[0], &actions, nil, $0, environ) }
        guard code == 0 else { throw .unavailable("\(arguments[0]): \(String(cString: strerror(code)))") }
        return program
    }
}

/// A pipe (pipe(2)) from a program, and what has come out of it.
private final class Pipe {
    private let readingEnd: Int32
    private(set) var writingEnd: Int32
    private(set) var bytes: [UInt8] = []
    /// Whether more may come.
    private(set) var isOpen = true

    init() throws(RecognitionFailure) {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw .unavailable("pipe: \(String(cString: strerror(errno)))") }
        (readingEnd, writingEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readingEnd)
        closeWritingEnd()
    }

    /// Ours would keep the pipe from ending.
    func closeWritingEnd() {
        if writingEnd >= 0 { close(writingEnd) }
        writingEnd = -1
    }

    /// Waits until there is something to read, or an end to be seen, in at least one of them.
    static func readable(_ pipes: Pipe...) -> [Pipe] {
        let open = pipes.filter(\.isOpen)
        var polled = open.map { pollfd(fd: $0.readingEnd, events: Int16(POLLIN), revents: 0) }
        while poll(&polled, nfds_t(polled.count), -1) < 0, errno == EINTR {}
        return zip(open, polled).filter { $0.1.revents != 0 }.map(\.0)
    }

    /// Takes what is there; it is never more than 64 KiB at a time.
    func read() {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = Glibc.read(readingEnd, &buffer, buffer.count)
        if count < 0, errno == EINTR { return }
        if count > 0 { bytes.append(contentsOf: buffer[..<count]) } else { isOpen = false }
    }

    /// Lets go of what is past this number of bytes.
    func cut(to bytesMax: Int) {
        if bytes.count > bytesMax { bytes.removeLast(bytes.count - bytesMax) }
    }
}
