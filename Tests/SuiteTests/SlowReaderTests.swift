import Foundation
import Shared
import TestSupport
import Testing

/// `GET /conversations/{id}/events` with a client that leaves the answer unread.
@Suite("A reader of events that stops reading")
struct SlowReaderTests {
    private static let messages = 500
    /// Of the messages that are told, together.
    private static let textBytes = messages * 100_000

    /// An event as the slow reader has got it.
    private struct Told {
        let id: String
        let number: Int
    }

    /// The service may keep what is on its way to the reader, but not all that is still to come.
    @Test(.tags(.alone)) func costsLittleMemoryHoldsNobodyUpAndGoesOnLaterWithoutAGap() async throws {
        try await KillSite.with { site in
            let port = try site.victim.client.base.split(separator: ":").last.flatMap { Int($0) }.orThrow("port")
            try await UnreadConnection.open(port: port) { slow in
                let before = try site.victim.peakResidentBytes
                try slow.send(
                    """
                    GET /conversations/\(site.conversation)/events?after=0 HTTP/1.1\r\nHost: a\r\n\
                    Authorization: Bearer \(site.user.token)\r\nAccept: text/event-stream\r\n\r\n
                    """)
                try await insertMessages(site)
                // A few whole messages, and from here on nothing.
                let told = events(in: try await slow.receive(atLeast: 350_000))
                let last = try told.last.orThrow("a whole event")
                #expect(told.map(\.number) == Array(1...told.count))

                // By the time that one who does read has been told everything, the other one could have been, too.
                #expect(try await numbers(site, after: "0") == Array(1...Self.messages))
                let growth = try site.victim.peakResidentBytes - before
                #expect(growth < Self.textBytes / 2, "\(growth >> 20) MiB")

                #expect(try await numbers(site, after: last.id) == Array((last.number + 1)...Self.messages))
            }
            #expect(try await site.victim.client.get("/readyz").status == 200)
        }
    }

    /// All at once, as work elsewhere would bring them one by one; each begins with its number.
    private func insertMessages(_ site: KillSite) async throws {
        try await site.database.query(
            """
            with conversation as (
                update chat.conversations set changes = changes + \(Self.messages) where id = \(site.conversation)
                returning id, changes - \(Self.messages) as before)
            insert into chat.messages (conversation_id, role, status, content, change)
            select id, 'user', 'completed', number::text || repeat(' more', 20000), before + number
            from conversation, generate_series(1::bigint, \(Self.messages)::bigint) number
            """)
    }

    /// The numbers of the messages that a new reader is told, to the last one.
    private func numbers(_ site: KillSite, after id: String) async throws -> [Int] {
        let (status, events) = try await site.user.chat.events(
            .GET, "/conversations/\(site.conversation)/events", headers: ["Last-Event-ID": id])
        #expect(status == 200)
        var numbers: [Int] = []
        for try await event in events where event.name == "message" {
            numbers.append(try number(in: event.data).orThrow("number"))
            if numbers.last == Self.messages { break }
        }
        return numbers
    }

    /// The number that the content of a message begins with.
    private func number(in data: String) throws -> Int? {
        try JSON(parsing: Data(data.utf8))["content"].string.flatMap { Int($0.prefix { $0.isNumber }) }
    }

    /// The whole events at the beginning of an answer.
    private func events(in answer: [UInt8]) -> [Told] {
        let body = String(decoding: body(of: answer), as: UTF8.self)
        return body.components(separatedBy: "\n\n").dropLast().compactMap { event in
            let lines = event.split(separator: "\n")
            guard let id = lines.first(where: { $0.hasPrefix("id: ") })?.dropFirst("id: ".count),
                let data = lines.first(where: { $0.hasPrefix("data: ") })?.dropFirst("data: ".count),
                let number = try? number(in: String(data))
            else { return nil }
            return Told(id: String(id), number: number)
        }
    }

    /// The beginning of the body of a chunked answer (RFC 9112, 7.1).
    private func body(of answer: [UInt8]) -> [UInt8] {
        var rest = answer[...]
        while let line = takeLine(&rest), !line.isEmpty {}
        var body: [UInt8] = []
        while let line = takeLine(&rest), let size = Int(line, radix: 16), size > 0 {
            body += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
        return body
    }

    /// Nil when the end of the line has not come yet.
    private func takeLine(_ bytes: inout ArraySlice<UInt8>) -> String? {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        defer { bytes = bytes[(end + 1)...] }
        return String(decoding: bytes[..<end], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
