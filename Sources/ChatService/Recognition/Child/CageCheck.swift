import CLinux
import Glibc

/// `ChatService recognize check`: tries, from inside, what a confined child must not be able to do, and prints a line
/// for each attempt, to a terminal or a pipe (it can write to no file).
///
/// For operators who want to know which layers hold on their system, and for the tests.
enum CageCheck {
    /// The argument behind `recognize`.
    static let argument = "check"

    /// Confines this process as a child is, and reports.
    /// - Returns: lines of `name: refused`, `name: possible` or `name: number`.
    static func run() -> [String] {
        Confinement(pageSeconds: 60).apply(parent: getppid())
        return [
            line("socket", socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)),
            line("socketpair", unixPair()),
            line("ptrace", Int32(parley_syscall(Int(SYS_ptrace), 0, 0, 0, 0))),
            line("unshare", Int32(parley_syscall(Int(SYS_unshare), 0x1000_0000, 0, 0, 0))),
            line("write", open("/tmp/parley-cage-\(getpid())", O_CREAT | O_WRONLY, 0o600)),
            line("write in its own folder", open("parley-cage-\(getpid())", O_CREAT | O_WRONLY, 0o600)),
            line("write in shared memory", open("/dev/shm/parley-cage-\(getpid())", O_CREAT | O_WRONLY, 0o600)),
            line("make a folder", mkdir("/tmp/parley-cage-folder-\(getpid())", 0o700)),
            line("link", symlink("/etc/passwd", "/tmp/parley-cage-link-\(getpid())")),
            line("read", open("/etc/passwd", O_RDONLY)),
            line("environment of the parent", open("/proc/\(getppid())/environ", O_RDONLY)),
            line("signal to the parent", kill(getppid(), 0)),
            line("memory", mmap(nil, 2 << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0),
            "megabytes: \(megabytes())", "children: \(children())",
            "processor seconds: \(bound(RLIMIT_CPU))", "user: \(getuid() == 0 ? "root" : "other")",
            "new privileges: \(parley_prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? "refused" : "possible")",
            "niceness: \(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0))", "core: \(bound(RLIMIT_CORE))",
            "file: \(bound(RLIMIT_FSIZE))",
            "descriptors: \(bound(RLIMIT_NOFILE))", "variables: \(variables())",
        ]
    }

    private static func line(_ attempt: String, _ result: Int32) -> String {
        "\(attempt): \(result < 0 ? "refused" : "possible")"
    }

    private static func unixPair() -> Int32 {
        var ends: [Int32] = [-1, -1]
        return socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
    }

    /// How much address space is left, in pieces of 16 MiB that are not touched, up to 4 GiB.
    private static func megabytes() -> Int {
        let piece = 16 << 20
        var pieces: [UnsafeMutableRawPointer] = []
        defer { for start in pieces { munmap(start, piece) } }
        while pieces.count < 256,
            let start = mmap(nil, piece, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), start != MAP_FAILED
        {
            pieces.append(start)
        }
        return pieces.count * 16
    }

    /// How many processes can be started side by side, up to 100.
    private static func children() -> Int {
        var started: [pid_t] = []
        defer {
            for child in started {
                kill(child, SIGKILL)
                waitpid(child, nil, 0)
            }
        }
        for _ in 0..<100 {
            var child = pid_t()
            let code = withCStrings(["sleep", "60"]) { posix_spawnp(&child, "sleep", nil, nil, $0, environ) }
            guard code == 0 else { break }
            started.append(child)
        }
        return started.count
    }

    private static func bound(_ resource: __rlimit_resource) -> UInt {
        var bound = rlimit()
        getrlimit(__rlimit_resource_t(resource.rawValue), &bound)
        return bound.rlim_cur
    }

    private static func variables() -> String {
        var names: [String] = []
        var entry = environ
        while let variable = entry.pointee {
            names.append(String(String(cString: variable).prefix { $0 != "=" }))
            entry += 1
        }
        return names.sorted().joined(separator: ",")
    }
}
