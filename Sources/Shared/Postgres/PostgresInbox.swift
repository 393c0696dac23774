import CLinux
import Foundation
import NIOConcurrencyHelpers

/// What tasks ask of the loop.
enum PostgresCommand: Sendable {
    case run(PostgresRequest)
    case abandon(PostgresRequest)
    case lease(PostgresLease)
    case abandonLease(PostgresLease)
    case listen(PostgresSubscription)
    case unlisten(PostgresSubscription)
    case close(PostgresReply<Void>?)
}

/// Hands commands from any thread to the loop's thread, waking it only when it sleeps.
///
/// The client's locks are NIO's (a pthread mutex), not `Synchronization.Mutex`: the thread sanitizer does not see the
/// slow path of the latter, which lies in the runtime's library, and reports races that are none.
final class PostgresInbox: Sendable {
    private struct State {
        var commands: [PostgresCommand] = []
        var isAsleep = false
        var isClosed = false
    }

    private let state = NIOLockedValueBox(State())
    /// Readable when the loop was woken.
    let wakeDescriptor: Int32

    init() {
        wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(wakeDescriptor >= 0, "eventfd: errno \(errno)")
    }

    deinit { close(wakeDescriptor) }

    /// False if the loop has ended; then nobody will look at the command.
    func post(_ command: PostgresCommand) -> Bool {
        let (isOpen, wakes) = state.withLockedValue { state in
            guard !state.isClosed else { return (false, false) }
            state.commands.append(command)
            defer { state.isAsleep = false }
            return (true, state.isAsleep)
        }
        if wakes { eventfd_write(wakeDescriptor, 1) }
        return isOpen
    }

    /// Everything posted since the last call. If that is nothing, the next `post` wakes the loop.
    func take() -> [PostgresCommand] {
        state.withLockedValue {
            $0.isAsleep = $0.commands.isEmpty
            return exchange(&$0.commands, with: [])
        }
    }

    /// Refuses further commands and returns those that were not taken.
    func shut() -> [PostgresCommand] {
        state.withLockedValue {
            $0.isClosed = true
            return exchange(&$0.commands, with: [])
        }
    }

    /// Makes the wake descriptor quiet again.
    func acknowledgeWake() {
        var count: eventfd_t = 0
        eventfd_read(wakeDescriptor, &count)
    }
}

/// Stores `new` and returns what was there.
func exchange<Value>(_ place: inout Value, with new: Value) -> Value {
    let old = place
    place = new
    return old
}
