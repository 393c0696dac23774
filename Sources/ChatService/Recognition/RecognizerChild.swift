import CLinux
import Glibc
import Synchronization

/// A started recognizing child: its process group and our end of its socket.
///
/// Made, used and ended by one `RecognizerProcess`; only `kill()` may come from another thread.
final class RecognizerChild: Sendable {
    let socket: RecognitionSocket
    /// Of the child and of the group it leads; nil once it is reaped, so that a later `kill` cannot hit a stranger.
    private let identifier: Mutex<pid_t?>

    /// Starts `ChatService recognize` with a socket as its only descriptor and nothing of our environment.
    ///
    /// The calling thread has to outlive the child: its end is the child's end (`PR_SET_PDEATHSIG`).
    init(_ settings: RecognitionSettings) throws(RecognitionFailure) {
        guard let (ours, theirs) = RecognitionSocket.pair() else {
            throw .unavailable("socketpair: \(String(cString: strerror(errno)))")
        }
        defer { close(theirs.descriptor) }
        do throws(RecognitionFailure) {
            identifier = Mutex(try Self.spawn(settings, socket: theirs.descriptor))
        } catch {
            close(ours.descriptor)
            throw error
        }
        socket = ours
    }

    deinit { _ = end() }

    /// The child's process id while it has not been reaped.
    var processID: pid_t? { identifier.withLock { $0 } }

    /// How long the child, and the program it runs at the moment, have been ready to run while others had the
    /// processor. Zero where the kernel does not say (sched-stats.rst in its documentation).
    var starvation: Duration {
        guard let child = processID else { return .zero }
        let programs = Self.words(of: "/proc/\(child)/task/\(child)/children")
        return .nanoseconds(([Int(child)] + programs).reduce(0) { $0 + Self.waited($1) })
    }

    private static func waited(_ process: Int) -> Int {
        let numbers = words(of: "/proc/\(process)/schedstat")
        return numbers.count == 3 ? numbers[1] : 0
    }

    /// The numbers in a file of /proc; none if it is gone.
    private static func words(of path: String) -> [Int] {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        let text = withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            String(decoding: buffer.prefix(max(0, read(file, buffer.baseAddress, buffer.count))), as: UTF8.self)
        }
        return text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    }

    /// Kills the child and whatever it started. From any thread, at any time.
    func kill() {
        identifier.withLock { identifier in
            if let identifier { _ = Glibc.kill(-identifier, SIGKILL) }
        }
    }

    /// Kills and reaps the child.
    /// - Returns: how it had ended, or nil if it was ended before.
    @discardableResult
    func end() -> Ending? {
        kill()
        guard
            let child = identifier.withLock({ identifier in
                defer { identifier = nil }; return identifier
            })
        else {
            return nil
        }
        close(socket.descriptor)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        // What the child had started is ours to reap if we are the first process of a container.
        while waitpid(-child, nil, 0) > 0 {}
        return Ending(status: status)
    }

    /// How a child ended (`wait(2)`).
    struct Ending: CustomStringConvertible {
        let status: Int32

        /// The signal that ended it, or nil if it exited by itself.
        var signal: Int32? { status & 0x7f == 0 ? nil : status & 0x7f }
        var description: String { signal.map { "signal \($0)" } ?? "exit status \(status >> 8 & 0xff)" }
    }
}

extension RecognizerChild {
    private static func spawn(_ settings: RecognitionSettings, socket: Int32) throws(RecognitionFailure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1)
        posix_spawn_file_actions_addchdir_np(&actions, "/")

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        setCleanSignals(&attributes)

        var child = pid_t()
        let code = withCStrings(["ChatService", RecognitionChild.argument]) { arguments in
            withCStrings(environment(settings)) { environment in
                posix_spawn(&child, settings.executable, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else {
            throw .unavailable("\(settings.executable) cannot be started: \(String(cString: strerror(code)))")
        }
        return child
    }

    /// A session and so a group of its own, no blocked signal, and the default action for every signal the service
    /// ignores. The session is for the scheduler: see `Confinement.standBack()`.
    private static func setCleanSignals(_ attributes: inout posix_spawnattr_t) {
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    }

    /// Everything the child learns of its surroundings. `OMP_THREAD_LIMIT` must be there before exec: parallel
    /// OpenMP makes a batch of pages many times slower. A crash needs no backtracer in the cage.
    private static func environment(_ settings: RecognitionSettings) -> [String] {
        var variables = [
            "LANG=C.UTF-8", "OMP_THREAD_LIMIT=1", "MALLOC_ARENA_MAX=1", "SWIFT_BACKTRACE=enable=no",
            "OCR_LANGUAGES=\(settings.languages)", "OCR_PAGE_SECONDS=\(settings.pageSeconds)",
            "\(RecognitionChild.parentVariable)=\(getpid())",
            "PATH=\(inherited("PATH") ?? "/usr/local/bin:/usr/bin:/bin")",
        ]
        if let path = inherited("LD_LIBRARY_PATH") { variables.append("LD_LIBRARY_PATH=\(path)") }
        if let prefix = settings.tessdataPrefix { variables.append("TESSDATA_PREFIX=\(prefix)") }
        return variables
    }

    private static func inherited(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}

/// Lends a NULL-terminated `char *[]`.
func withCStrings<R>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
    let copies = strings.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    return body(copies + [nil])
}
