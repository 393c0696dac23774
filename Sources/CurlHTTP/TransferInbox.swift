import CCurl
import Synchronization

/// A request of a task to the loop.
enum TransferCommand: Sendable {
    case start(Exchange)
    /// The reader has caught up with a paused transfer.
    case resume(Exchange)
    /// The exchange has ended; its transfer must, too.
    case cancel(Exchange)
    /// The exchange has a new deadline, earlier than the one watched.
    case watch(Exchange)
    case shutDown(CheckedContinuation<Void, Never>?)
}

/// Hands commands from any thread to the loop's thread and wakes it when it sleeps.
final class TransferInbox: Sendable {
    private struct State {
        var commands: [TransferCommand] = []
        var isAsleep = false
        var isClosed = false
        /// The address of the loop's multi handle; 0 before the loop begins.
        var multi: UInt = 0
    }

    private let state = Mutex(State())

    /// Posts a command. Commands to a loop that has ended are answered here.
    func post(_ command: TransferCommand) {
        let isTaken = state.withLock { state in
            guard !state.isClosed else { return false }
            state.commands.append(command)
            // curl_multi_wakeup(3): the one function of a multi handle that any thread may call. The lock keeps the
            // handle alive meanwhile.
            if state.isAsleep { curl_multi_wakeup(UnsafeMutableRawPointer(bitPattern: state.multi)) }
            state.isAsleep = false
            return true
        }
        if !isTaken { Self.refuse(command) }
    }

    /// Returns everything posted since the last call. The next `post` wakes the loop.
    func take() -> [TransferCommand] {
        state.withLock { state in
            state.isAsleep = true
            let commands = state.commands
            state.commands = []
            return commands
        }
    }

    /// Publishes the handle that `post` wakes.
    func open(_ multi: UnsafeMutableRawPointer) { state.withLock { $0.multi = UInt(bitPattern: multi) } }

    /// Refuses the commands that were not taken and all later ones. The loop calls it at its end.
    func close() {
        let rest = state.withLock { state in
            state.isClosed = true
            state.multi = 0
            let commands = state.commands
            state.commands = []
            return commands
        }
        for command in rest { Self.refuse(command) }
    }

    private static func refuse(_ command: TransferCommand) {
        switch command {
        case .start(let exchange): _ = exchange.finish(.shutDown)
        case .shutDown(let waiter): waiter?.resume()
        case .resume, .cancel, .watch: break
        }
    }
}
