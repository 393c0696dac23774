import CLinux
import Glibc

/// How a thread that computes for long stands back behind those that answer.
package enum ThreadPriority {
    /// The nice value: the share of a thread that nobody waits for in milliseconds. Not 19, with which short calls
    /// beside it were another 15 % quicker: beside a model on the same machine that takes all it gets, a thread of nice
    /// 10 has a tenth of a core (sched(7): a weight of 110 to 1024), one of nice 19 a seventieth, and a sign-in would
    /// take seconds.
    private static let niceness: Int32 = 10
    /// Nanoseconds, the shortest that the kernel takes. Since Linux 6.12 a thread may have a time slice of its own
    /// (sched_setattr(2), `sched_runtime`), and whoever wakes up waits for no more than the rest of it. The default is
    /// some milliseconds: longer than most answers take. Measured: the 99th percentile of short calls beside one
    /// hashing thread fell from 9.7 to 3.4 ms.
    private static let sliceNanoseconds: UInt64 = 100_000

    /// Lowers the calling thread's priority, which on Linux is each thread's own (setpriority(2)), and shortens its
    /// time slice. Kernels before 6.12 take the first and pass over the second.
    package static func standBack() {
        // struct sched_attr, first version: size and policy (SCHED_OTHER), flags, nice value and priority, runtime,
        // deadline, period.
        let attributes: [UInt64] = [48, 0, UInt64(UInt32(bitPattern: niceness)), sliceNanoseconds, 0, 0]
        let result = attributes.withUnsafeBytes { bytes in
            parley_syscall(Int(SYS_sched_setattr), 0, Int(bitPattern: bytes.baseAddress), 0, 0)
        }
        if result != 0 { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness) }
    }
}
