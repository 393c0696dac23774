import CLinux
import Glibc

/// A program run to its end inside the child's cage: one of poppler's.
///
/// Its input is the document's descriptor, its output a pipe that is read up to a bound. There is no deadline here:
/// the parent has one, and kills this process and the program together.
struct ProgramRun {
    let output: [UInt8]
    /// Whether it exited by itself with status 0.
    let succeeded: Bool

    /// - Parameters:
    ///   - arguments: the program, looked up in PATH, and its arguments.
    ///   - input: becomes descriptor 0, from its beginning.
    ///   - maxBytes: output past it ends the program.
    ///   - withMessages: whether what it says on descriptor 2 is wanted too.
    init(
        _ arguments: [String], input: Int32, maxBytes: Int, withMessages: Bool = false
    ) throws(RecognitionFailure) {
        lseek(input, 0, SEEK_SET)
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw .unavailable("pipe: \(String(cString: strerror(errno)))") }
        defer { close(ends[0]) }
        let program = try Self.spawn(arguments, input: input, output: ends[1], withMessages)
        let (output, isWhole) = Self.read(ends[0], maxBytes: maxBytes)
        if !isWhole { kill(program, SIGKILL) }
        var status: Int32 = 0
        while waitpid(program, &status, 0) < 0, errno == EINTR {}
        self.output = output
        succeeded = isWhole && status == 0
    }

    /// The output as lines of text.
    var lines: [Substring] { String(decoding: output, as: UTF8.self).split(separator: "\n") }

    private static func spawn(
        _ arguments: [String], input: Int32, output: Int32, _ withMessages: Bool
    ) throws(RecognitionFailure) -> pid_t {
        // Ours would keep the pipe from ending.
        defer { close(output) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        if withMessages { posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO) }
        posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1)
        var program = pid_t()
        let code = withCStrings(arguments) { posix_spawnp(&program, arguments[0], &actions, nil, $0, environ) }
        guard code == 0 else { throw .unavailable("\(arguments[0]): \(String(cString: strerror(code)))") }
        return program
    }

    private static func read(_ descriptor: Int32, maxBytes: Int) -> ([UInt8], isWhole: Bool) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return (bytes, count == 0) }
            guard bytes.count + count <= maxBytes else { return (bytes, false) }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}
