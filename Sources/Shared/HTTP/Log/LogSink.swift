import Dispatch
import Foundation
import NIOConcurrencyHelpers

/// Takes log lines from any thread at once and writes them to a descriptor from a thread of its own: a full pipe or a
/// slow terminal delays the log, never a request. Whole lines go out with one write(2) for many of them, so that lines
/// of the two services in one terminal do not mix.
///
/// What waits has a bound; past it lines are dropped, and a line says how many. A process that is killed loses what
/// came in the last `gathering`; one that exits waits for it.
package final class LogSink: Sendable {
    /// The sink of every logger that is not told another.
    package static let standardError: LogSink = {
        atexit { LogSink.standardError.flush() }
        return LogSink(descriptor: STDERR_FILENO)
    }()

    private struct Waiting {
        var lines: [UInt8] = []
        var dropped = 0
        /// The thread waits for `arrivals`.
        var isIdle = true
        /// Signalled when everything taken so far is written.
        var flushers: [DispatchSemaphore] = []
    }

    private let waiting = NIOLockedValueBox(Waiting())
    private let arrivals = DispatchSemaphore(value: 0)
    private let bytesMax: Int
    /// How long the first line of a batch waits for others.
    private static let gathering: TimeInterval = 0.002

    /// - Parameters:
    ///   - descriptor: stays open for as long as the process lives.
    ///   - bytesMax: how much may wait to be written.
    package init(descriptor: Int32, bytesMax: Int = 1 << 20) {
        self.bytesMax = bytesMax
        let (waiting, arrivals) = (waiting, arrivals)
        let thread = Thread { Self.writeForever(waiting, arrivals, descriptor) }
        thread.name = "log"
        thread.stackSize = 256 * 1024
        thread.start()
    }

    /// Takes a line with its line feed. Never blocks.
    package func write(_ line: [UInt8]) {
        let wakes = waiting.withLockedValue { waiting in
            guard waiting.lines.count + line.count <= bytesMax else {
                waiting.dropped += 1
                return false
            }
            waiting.lines += line
            return exchange(&waiting.isIdle, with: false)
        }
        if wakes { arrivals.signal() }
    }

    /// Waits until what was taken before is written, but not for longer than a second.
    package func flush() {
        let done = DispatchSemaphore(value: 0)
        let wakes = waiting.withLockedValue { waiting in
            waiting.flushers.append(done)
            return exchange(&waiting.isIdle, with: false)
        }
        if wakes { arrivals.signal() }
        _ = done.wait(timeout: .now() + 1)
    }

    private static func writeForever(
        _ waiting: NIOLockedValueBox<Waiting>, _ arrivals: DispatchSemaphore, _ descriptor: Int32
    ) {
        while true {
            let batch = waiting.withLockedValue { waiting in
                let isEmpty = waiting.lines.isEmpty && waiting.dropped == 0 && waiting.flushers.isEmpty
                return exchange(&waiting, with: Waiting(isIdle: isEmpty))
            }
            if batch.lines.isEmpty, batch.dropped == 0, batch.flushers.isEmpty {
                arrivals.wait()
                if waiting.withLockedValue({ $0.flushers.isEmpty }) { Thread.sleep(forTimeInterval: gathering) }
                continue
            }
            write(batch.lines, to: descriptor)
            if batch.dropped > 0 {
                write(Array("\(batch.dropped) log lines lost: the log was not read in time\n".utf8), to: descriptor)
            }
            for flusher in batch.flushers { flusher.signal() }
        }
    }

    /// A closed pipe or terminal loses the lines rather than the service.
    private static func write(_ lines: [UInt8], to descriptor: Int32) {
        lines.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN {
                    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = Foundation.poll(&poll, 1, -1)
                    continue
                }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
