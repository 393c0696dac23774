/// Cuts a byte stream into server-sent events, whatever the pieces it arrives in.
///
/// Follows the WHATWG HTML standard, section 9.2.6 "Interpreting an event stream": lines end with CR LF, LF or CR; a
/// byte order mark at the start is skipped; lines that begin with a colon are comments (servers send them as pings);
/// several `data` lines are joined by LF. It works on bytes, so a piece may end inside a character. One departure:
/// `finish` returns an event that the end of the stream cut off before its blank line, as some servers never send the
/// last one. `id` and `retry` are ignored: an answer cannot be resumed.
package struct ServerSentEventParser: Sendable {
    /// One event; `data` is not checked to be UTF-8.
    package struct Event: Sendable, Equatable {
        /// The `event` field; empty if there was none.
        package var name: String = ""
        package var data: [UInt8] = []

        package init(name: String = "", data: [UInt8] = []) {
            self.name = name
            self.data = data
        }
    }

    /// A line or an event longer than the bound.
    package struct EventTooLong: Error, Equatable {}

    /// The longest line, and the longest `data` of one event, in bytes.
    package let eventBytesMax: Int

    private var line: [UInt8] = []
    private var name = ""
    private var data: [UInt8]?
    private var previousWasCarriageReturn = false
    private var isAtFirstLine = true

    package init(eventBytesMax: Int) {
        self.eventBytesMax = eventBytesMax
    }

    /// Takes the next piece and returns the events that it completes.
    package mutating func parse(_ bytes: some Sequence<UInt8>) throws(EventTooLong) -> [Event] {
        var events: [Event] = []
        for byte in bytes {
            let followsCarriageReturn = previousWasCarriageReturn
            previousWasCarriageReturn = byte == UInt8(ascii: "\r")
            switch byte {
            case UInt8(ascii: "\n") where followsCarriageReturn:
                continue
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                if let event = try endLine() { events.append(event) }
            default:
                guard line.count < eventBytesMax else { throw EventTooLong() }
                line.append(byte)
            }
        }
        return events
    }

    /// The stream has ended: the event that lacked its blank line, if there is one.
    package mutating func finish() throws(EventTooLong) -> Event? {
        if !line.isEmpty { _ = try endLine() }
        return takeEvent()
    }

    private mutating func endLine() throws(EventTooLong) -> Event? {
        defer { line.removeAll(keepingCapacity: line.count < 4_096) }
        if isAtFirstLine {
            isAtFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        guard !line.isEmpty else { return takeEvent() }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        // A comment has an empty field name and falls through with the fields that are of no use here.
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "data": try append(value)
        case "event": name = String(decoding: value, as: UTF8.self)
        default: break
        }
        return nil
    }

    private mutating func append(_ value: ArraySlice<UInt8>) throws(EventTooLong) {
        guard (data?.count ?? 0) + value.count < eventBytesMax else { throw EventTooLong() }
        if data == nil {
            data = Array(value)
        } else {
            data?.append(UInt8(ascii: "\n"))
            data?.append(contentsOf: value)
        }
    }

    /// The event collected so far; none without a `data` line, as the standard says.
    private mutating func takeEvent() -> Event? {
        defer {
            name = ""
            data = nil
        }
        return data.map { Event(name: name, data: $0) }
    }
}
