import DequeModule
import Dispatch
import Foundation
import NIOConcurrencyHelpers

/// Runs the jobs of one actor, in order, on one thread of its own.
///
/// The home of work that blocks: hashing a password, waiting for a recognizing child. An actor that returns this from
/// `unownedExecutor` may block inside its methods without taking a thread from the cooperative pool. The thread
/// starts at `init` and ends when the executor is released, after the jobs it was already given.
package final class ThreadExecutor: SerialExecutor, TaskExecutor {
    private let inbox: Inbox

    /// - Parameters:
    ///   - name: what the thread is called in `/proc` and in debuggers; the kernel keeps 15 bytes of it.
    ///   - stackBytes: the size of the thread's stack.
    package init(name: String, stackBytes: Int = 512 * 1024) {
        let inbox = Inbox()
        self.inbox = inbox
        let thread = Thread { inbox.runUntilClosed() }
        thread.name = name
        thread.stackSize = stackBytes
        thread.start()
    }

    deinit { inbox.close() }

    /// Called by the runtime; jobs run in the order of their arrival.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        let taskExecutor = asUnownedTaskExecutor()
        inbox.add { job.runSynchronously(isolatedTo: executor, taskExecutor: taskExecutor) }
    }
}

/// What a `ThreadExecutor` still has to do; shared by the executor and its thread, so that neither keeps the other.
private final class Inbox: Sendable {
    private struct State {
        var work: Deque<@Sendable () -> Void> = []
        var isClosed = false
    }

    private let state = NIOLockedValueBox(State())
    private let arrivals = DispatchSemaphore(value: 0)

    func add(_ work: @escaping @Sendable () -> Void) {
        state.withLockedValue { $0.work.append(work) }
        arrivals.signal()
    }

    func close() {
        state.withLockedValue { $0.isClosed = true }
        arrivals.signal()
    }

    func runUntilClosed() {
        while true {
            arrivals.wait()
            let (next, isClosed) = state.withLockedValue { ($0.work.popFirst(), $0.isClosed) }
            if let next { next() } else if isClosed { return }
        }
    }
}
