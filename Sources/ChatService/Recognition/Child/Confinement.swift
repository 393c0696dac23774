import CLinux
import Glibc

/// What the recognizing child takes from itself before it touches a document.
///
/// The first half holds on every Linux. Of the second half, a kernel or a container may refuse a layer; the child then
/// works with the others, and `ChatService recognize check` shows which hold.
struct Confinement {
    /// Address space. Measured: eng+rus and an A4 page need 0.25 GB; a colour picture of 50 megapixels takes 200 MB
    /// decoded, as much again while it becomes grey, and Tesseract copies it.
    static let addressSpaceBytes = 1_536 << 20
    /// Descriptors: the socket, the document, two pipes to poppler, and what the libraries open in passing.
    static let descriptors = 32
    /// Processes and threads: this one, one of poppler's, and some room for what libraries start.
    static let processes = 16
    /// Below everything that serves people.
    static let niceness: Int32 = 10
    /// Who the child is when the service runs as root: nobody.
    private static let nobody: UInt32 = 65_534

    let pageSeconds: Int

    /// Ends the process at once if it cannot be confined or its parent is gone already.
    /// - Parameter parent: whose end must end this process.
    func apply(parent: pid_t) {
        standBack()
        leaveRoot()
        ownUserNamespace()
        // Only now: a change of user takes it back (prctl(2)).
        require(parley_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0), "PR_SET_PDEATHSIG")
        // The parent may have died before the line above.
        guard getppid() == parent else { _exit(1) }
        require(parley_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")
        require(parley_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "PR_SET_DUMPABLE")
        // For `ps` and `top`: started through /proc/self/exe it would be called "exe".
        "recognizer".withCString { _ = parley_prctl(PR_SET_NAME, UInt(bitPattern: $0), 0, 0, 0) }
        umask(0o077)
        limit(RLIMIT_AS, Self.addressSpaceBytes)
        limit(RLIMIT_CORE, 0)
        limit(RLIMIT_FSIZE, 0)
        limit(RLIMIT_NOFILE, Self.descriptors)
        Self.renewProcessorTime(seconds: pageSeconds)
        signal(SIGPIPE, SIG_IGN)
        FileAccess.confine()
        SystemCallFilter.confine()
    }

    /// Takes the processor only when nobody else wants it much.
    ///
    /// A nice value counts only among the processes of one session where the kernel groups by session (sched(7),
    /// "The autogroup feature"): there a page would be read with the share of the service itself. So the child has a
    /// session of its own, and makes that stand back as well. The kernel lets one of all processes do so every 100 ms.
    private func standBack() {
        _ = nice(Self.niceness)
        // Never the session of a shell in which somebody runs the check.
        guard getsid(0) == getpid() else { return }
        let file = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        let value = Array("\(Self.niceness)".utf8)
        var tries = 0
        while write(file, value, value.count) < 0, errno == EAGAIN, tries < 20 {
            tries += 1
            usleep(50_000)
        }
    }

    /// Allows `seconds` of processor time from now on, and a little more; past it comes SIGXCPU.
    ///
    /// The parent's deadline is the one that counts. This one still holds when the parent is stopped, and for
    /// poppler's programs, which inherit it.
    static func renewProcessorTime(seconds: Int) {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        let used = Int(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        var bound = rlimit(rlim_cur: rlim_t(used + seconds + 5), rlim_max: .max)
        setrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &bound)
    }

    /// A service that runs as root does not let its decoders. A root that may not become another user, as in a
    /// container without capabilities, is none to fear.
    private func leaveRoot() {
        guard geteuid() == 0, setgroups(0, nil) == 0, setgid(Self.nobody) == 0 else { return }
        _ = setuid(Self.nobody)
    }

    /// In a user namespace of its own the child's processes are counted apart from those of its user, so that
    /// `RLIMIT_NPROC` bounds them alone. Some systems let nobody have one; then nothing bounds their number.
    private func ownUserNamespace() {
        guard parley_syscall(Int(SYS_unshare), 0x1000_0000, 0, 0, 0) == 0 else { return }
        limit(__RLIMIT_NPROC, Self.processes)
        // A namespace's creator has every capability in it: give them back (capset(2), version 3).
        var header: [UInt32] = [0x2008_0522, 0]
        var none = [UInt32](repeating: 0, count: 6)
        let result = header.withUnsafeMutableBytes { header in
            none.withUnsafeMutableBytes { none in
                parley_syscall(
                    Int(SYS_capset), Int(bitPattern: header.baseAddress), Int(bitPattern: none.baseAddress), 0, 0)
            }
        }
        require(Int32(result), "capset")
    }

    private func limit(_ resource: __rlimit_resource, _ value: Int) {
        var bound = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
        require(setrlimit(__rlimit_resource_t(resource.rawValue), &bound), "RLIMIT \(resource.rawValue)")
    }

    private func require(_ result: Int32, _ what: String) {
        guard result == 0 else { fatalError("\(what): \(String(cString: strerror(errno)))") }
    }
}
