import CCurl
import DequeModule
import Glibc

/// The thread that drives all transfers of a client.
///
/// Created, run, and released on its own thread.
final class TransferLoop {
    private let settings: HTTPClient.Settings
    private let inbox: TransferInbox
    private let multi: UnsafeMutableRawPointer
    /// Running transfers by their easy handle, which libcurl names when one ends.
    private var transfers: [UnsafeMutableRawPointer: Transfer] = [:]
    private var handles: [ObjectIdentifier: UnsafeMutableRawPointer] = [:]
    /// Exchanges beyond `concurrency`, with the time until which each waits for a place.
    private var queue: Deque<(exchange: Exchange, until: ContinuousClock.Instant)> = []
    /// The next time to check deadlines.
    private var alarm: ContinuousClock.Instant?
    private var closers: [CheckedContinuation<Void, Never>] = []
    private var isRunning = true

    /// The exchanges that may wait for a place, for each transfer that may run.
    private static let queueFactor = 4
    /// libcurl checks every transfer whenever something happens: 0.24 ms for 256 of them, measured. Above this number
    /// the loop collects the events of a millisecond first.
    private static let gatheringTransfersMin = 32
    private static let gatheringMicroseconds: UInt32 = 1_000
    /// The longest sleep, in milliseconds. Commands, sockets, and deadlines end a sleep earlier.
    private static let sleepMax: Int32 = 60_000

    init(_ settings: HTTPClient.Settings, _ inbox: TransferInbox) {
        (self.settings, self.inbox) = (settings, inbox)
        // curl_global_init(3): before anything else of the library; later calls only count.
        precondition(curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK, "libcurl does not start")
        guard let multi = curl_multi_init() else { fatalError("curl_multi_init has no memory") }
        self.multi = multi
        // One connection for each transfer stays open between requests.
        curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, settings.concurrency)
        // Fails without descriptors for the wake-up. Without it, commands would wait for the longest sleep.
        check(curl_multi_wakeup(multi))
        inbox.open(multi)
    }

    /// Runs until a `shutDown` command.
    func run() {
        while isRunning {
            let commands = inbox.take()
            for command in commands { handle(command) }
            guard isRunning else { break }
            startQueued()
            var running: Int32 = 0
            check(curl_multi_perform(multi, &running))
            endFinished()
            checkDeadlines()
            check(curl_multi_poll(multi, nil, 0, canStart ? 0 : sleepTime(), nil))
            gatherEvents()
        }
        shutDown()
    }

    private func gatherEvents() {
        if transfers.count > Self.gatheringTransfersMin { usleep(Self.gatheringMicroseconds) }
    }

    private func handle(_ command: TransferCommand) {
        switch command {
        case .start(let exchange):
            enqueue(exchange)
        case .resume(let exchange):
            guard let handle = handles[ObjectIdentifier(exchange)], let transfer = transfers[handle] else { return }
            if !transfer.resume() { remove(exchange) }
        case .cancel(let exchange):
            if !remove(exchange) { queue.removeAll { $0.exchange === exchange } }
        case .watch(let exchange):
            if let deadline = exchange.checkDeadline(.now) {
                wake(at: deadline)
            } else if exchange.hasEnded {
                // Not merely without a deadline: the reader may have taken it away meanwhile.
                remove(exchange)
            }
        case .shutDown(let waiter):
            isRunning = false
            if let waiter { closers.append(waiter) }
        }
    }

    // MARK: Beginning and end of a transfer

    private var canStart: Bool { !queue.isEmpty && transfers.count < settings.concurrency }

    private func startQueued() {
        while canStart, let (exchange, _) = queue.popFirst() {
            guard !exchange.hasEnded else { continue }
            guard let transfer = Transfer(exchange, connectTime: settings.connectTime) else {
                _ = exchange.finish(.failed(code: Int(CURLE_OUT_OF_MEMORY.rawValue), reason: "out of memory"))
                continue
            }
            transfers[transfer.handle] = transfer
            handles[ObjectIdentifier(exchange)] = transfer.handle
            check(curl_multi_add_handle(multi, transfer.handle))
        }
        if let first = queue.first { wake(at: first.until) }
    }

    private func enqueue(_ exchange: Exchange) {
        if queue.count < settings.concurrency * Self.queueFactor {
            queue.append((exchange, .now + settings.connectTime))
        } else {
            _ = exchange.finish(.busy)
        }
    }

    private func endFinished() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
            // Removing the handle frees the message.
            let code = message.pointee.data.result
            let transfer = transfers[handle]
            transfer?.end(code)
            if let transfer { remove(transfer.exchange) }
        }
    }

    /// Lets a transfer go. One that has not ended loses its connection. Returns false if it does not run.
    @discardableResult
    private func remove(_ exchange: Exchange) -> Bool {
        guard let handle = handles.removeValue(forKey: ObjectIdentifier(exchange)) else { return false }
        check(curl_multi_remove_handle(multi, handle))
        transfers[handle] = nil
        return true
    }

    private func shutDown() {
        let exchanges = transfers.values.map(\.exchange) + queue.map(\.exchange)
        queue = []
        for exchange in exchanges {
            remove(exchange)
            _ = exchange.finish(.shutDown)
        }
        inbox.close()
        check(curl_multi_cleanup(multi))
        for closer in closers { closer.resume() }
    }

    // MARK: Time

    private func wake(at time: ContinuousClock.Instant) { alarm = alarm.map { min($0, time) } ?? time }

    private func sleepTime() -> Int32 {
        guard let alarm else { return Self.sleepMax }
        let milliseconds = (alarm - .now) / .milliseconds(1)
        return Int32(min(max(milliseconds.rounded(.up), 0), Double(Self.sleepMax)))
    }

    /// Ends what is late and sets the next alarm. Looks at every transfer, but only when an alarm is due.
    private func checkDeadlines() {
        let now = ContinuousClock.now
        guard let alarm, alarm <= now else { return }
        self.alarm = nil
        for exchange in transfers.values.map(\.exchange) {
            if let next = exchange.checkDeadline(now) { wake(at: next) } else if exchange.hasEnded { remove(exchange) }
        }
        queue.removeAll { exchange, until in
            if until <= now { _ = exchange.finish(.busy) }
            if let next = exchange.checkDeadline(now) { wake(at: next) }
            return exchange.hasEnded
        }
        if let first = queue.first { wake(at: first.until) }
    }

    /// Ends the process: these calls fail only if the handle is misused or memory runs out.
    private func check(_ code: CURLMcode) {
        precondition(code == CURLM_OK, String(cString: curl_multi_strerror(code)))
    }
}
