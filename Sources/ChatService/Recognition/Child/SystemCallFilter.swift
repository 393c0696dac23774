import CLinux
import Glibc

/// A seccomp filter (seccomp(2)): what the child and poppler's programs never need, and an attacker would.
///
/// A list of what is refused, not of what is allowed: the libraries are Debian's, and what they call changes with
/// each update.
enum SystemCallFilter {
    private static let refused: [Int32] = [
        // The network, and any talk with another process.
        SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4,
        // Other processes.
        SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd, SYS_pidfd_open, SYS_kcmp,
        // Other roots, namespaces, identities.
        SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_unshare, SYS_setns, SYS_open_by_handle_at,
        SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsmount, SYS_setuid, SYS_setgid,
        // Parts of the kernel with a long history of holes.
        SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
        SYS_keyctl, SYS_add_key, SYS_request_key, SYS_personality, SYS_quotactl, SYS_acct,
        // The machine.
        SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff,
        SYS_syslog, SYS_clock_settime, SYS_settimeofday, SYS_sethostname, SYS_setdomainname,
    ]

    #if arch(x86_64)
        private static let architecture: UInt32? = 0xc000_003e
    #elseif arch(arm64)
        private static let architecture: UInt32? = 0xc000_00b7
    #else
        private static let architecture: UInt32? = nil
    #endif

    private static let allow: UInt32 = 0x7fff_0000
    private static let kill: UInt32 = 0x8000_0000
    private static func fail(_ code: Int32) -> UInt32 { 0x0005_0000 | UInt32(code) }

    /// Filters from now on, this process and what it starts. Does nothing on a kernel without, or another processor.
    static func confine() {
        guard let architecture else { return }
        var program = instructions(architecture)
        program.withUnsafeMutableBufferPointer { program in
            var filter = sock_fprog(len: UInt16(program.count), filter: program.baseAddress)
            withUnsafeMutablePointer(to: &filter) { filter in
                // PR_SET_SECCOMP, SECCOMP_MODE_FILTER
                _ = parley_prctl(PR_SET_SECCOMP, 2, UInt(bitPattern: filter), 0, 0)
            }
        }
    }

    /// Classic BPF over `struct seccomp_data`: the call's number at 0, the architecture at 4.
    static func instructions(_ architecture: UInt32) -> [sock_filter] {
        var program = [load(4), skipUnless(equal: architecture, 1), skip(1), answer(kill), load(0)]
        #if arch(x86_64)
            // The numbers of the x32 interface would pass by the list.
            program += [skipIf(atLeast: 0x4000_0000, 0, else: 1), answer(kill)]
        #endif
        // The flags of clone3 are out of a filter's sight; glibc goes back to clone.
        program += [skipUnless(equal: UInt32(SYS_clone3), 1), answer(fail(ENOSYS))]
        for call in refused { program += [skipUnless(equal: UInt32(call), 1), answer(fail(EPERM))] }
        return program + [answer(allow)]
    }

    private static func load(_ offset: UInt32) -> sock_filter { sock_filter(code: 0x20, jt: 0, jf: 0, k: offset) }
    private static func answer(_ value: UInt32) -> sock_filter { sock_filter(code: 0x06, jt: 0, jf: 0, k: value) }
    private static func skip(_ count: UInt32) -> sock_filter { sock_filter(code: 0x05, jt: 0, jf: 0, k: count) }

    private static func skipUnless(equal value: UInt32, _ count: UInt8) -> sock_filter {
        sock_filter(code: 0x15, jt: 0, jf: count, k: value)
    }

    private static func skipIf(atLeast value: UInt32, _ count: UInt8, else other: UInt8) -> sock_filter {
        sock_filter(code: 0x35, jt: count, jf: other, k: value)
    }
}
