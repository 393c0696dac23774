import CurlHTTP
package import Foundation
package import NIOHTTP1

/// One event of a stream in the form of the HTML standard, "server-sent events".
package struct ServerSentEvent: Sendable, Hashable {
    package var name = "message"
    package var id: String?
    package var data = ""

    /// The data as JSON, null if it is none.
    package var json: JSON { (try? JSON(parsing: Data(data.utf8))) ?? .null }
}

/// The events of an answer, one after the other; comments are left out.
package struct EventStream: AsyncSequence, Sendable {
    let body: SharedResponse
    /// Of the answer.
    package let headers: HTTPHeaders

    /// The whole answer, when it is none of events, up to 1 MiB; instead of the events.
    package func bytes() async throws -> Data {
        var bytes = Data()
        while let piece = try await body.next(), bytes.count < 1 << 20 { bytes += piece }
        return bytes
    }

    /// Waits until the service has sent the first bytes: only what changes after that is sure to be told.
    package func waitForBeginning() async throws { try await body.readAhead() }

    /// The stream can be read once.
    package func makeAsyncIterator() -> Iterator { Iterator(body) }

    /// Cuts chunks into lines and lines into events.
    package struct Iterator: AsyncIteratorProtocol {
        private let body: SharedResponse
        private var bytes: [UInt8] = []
        private var event = ServerSentEvent()
        private var hasData = false

        init(_ body: SharedResponse) { self.body = body }

        /// The next event, nil at the end of the answer.
        package mutating func next() async throws -> ServerSentEvent? {
            while true {
                while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = String(decoding: bytes[..<end], as: UTF8.self)
                    bytes.removeSubrange(...end)
                    if let complete = take(line) { return complete }
                }
                guard let piece = try await body.next() else { return nil }
                bytes += piece
            }
        }

        private mutating func take(_ line: String) -> ServerSentEvent? {
            if line.isEmpty {
                defer { (event, hasData) = (ServerSentEvent(), false) }
                return hasData ? event : nil
            }
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? String(parts[1].hasPrefix(" ") ? parts[1].dropFirst() : parts[1]) : ""
            switch parts[0] {
            case "event": event.name = value
            case "id": event.id = value
            case "data":
                event.data += (hasData ? "\n" : "") + value
                hasData = true
            default: break
            }
            return nil
        }
    }
}
