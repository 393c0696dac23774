import CLinux
import Foundation

/// A level-triggered epoll instance; each watched descriptor carries a number of the caller's.
struct PostgresEpoll: ~Copyable {
    private let descriptor: Int32
    private var ready = [epoll_event](repeating: epoll_event(), count: 64)

    init() {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(descriptor >= 0, "epoll_create1: errno \(errno)")
    }

    deinit { close(descriptor) }

    /// Watches a descriptor, new or known. libpq closes and reopens descriptors while it connects, which takes them out
    /// of the set without a word: hence the second try.
    func watch(_ watched: Int32, events: UInt32, number: UInt64) {
        var event = epoll_event(events: events, data: epoll_data_t(u64: number))
        if epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) != 0, errno == EEXIST {
            epoll_ctl(descriptor, EPOLL_CTL_MOD, watched, &event)
        }
    }

    /// Waits for at most `milliseconds` (-1: for ever) and calls `body` with number and events of each ready one.
    mutating func wait(milliseconds: Int32, _ body: (UInt64, UInt32) -> Void) {
        let count = epoll_wait(descriptor, &ready, Int32(ready.count), milliseconds)
        guard count > 0 else { return }
        for index in 0..<Int(count) { body(ready[index].data.u64, ready[index].events) }
    }

    static var input: UInt32 { EPOLLIN.rawValue }
    static var output: UInt32 { EPOLLOUT.rawValue }
}

/// Nanoseconds of the monotonic clock.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
