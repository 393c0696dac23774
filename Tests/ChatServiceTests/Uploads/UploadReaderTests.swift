import Foundation
import NIOCore
import Shared
import Testing

@testable import ChatService

@Suite struct UploadReaderTests {
    private static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Sends a whole upload and returns the answer.
    private func send(_ body: [UInt8], head: [String] = [], to server: UploadServer) async throws -> String {
        try await RawConnection.with(port: server.port) { reader, writer in
            try await writer.write(uploadHead(["Content-Length: \(body.count)", "Connection: close"] + head))
            // The server may answer and close before it has taken all of it. The answer counts.
            try? await writer.write(ByteBuffer(bytes: body))
            return try await reader.read(until: "\u{0}")
        }
    }

    @Test func anUploadIsReadHashedAndGoneWithItsRequest() async throws {
        try await UploadServer.with { server in
            let picture = Self.png + (0..<600_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
            let parts = [
                SentPart("conversation_id", "7"), SentPart("file", fileName: "scan.png", bytes: picture),
                SentPart("files", fileName: "заметка.md", "# привет"),
            ]
            let answer = try await send(multipartBody(parts, boundary: "b"), to: server)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            var outcomes = server.outcomes.makeAsyncIterator()
            guard case .read(let fields, let files) = await outcomes.next() else { throw UploadFailure.noFile }
            #expect(fields == ["conversation_id": "7"])
            #expect(files.map(\.name) == ["scan.png", "заметка.md"])
            #expect(files.map(\.type) == [.png, .markdown])
            #expect(files.map(\.size) == [picture.count, "# привет".utf8.count])
            #expect(files[0].sha256 == SHA256.hash(data: picture))
            #expect(try server.spooledFiles() == [])
        }
    }

    @Test(arguments: [
        ([SentPart("file", fileName: "a.png", bytes: [0x7F, 0x45, 0x4C, 0x46])], "415", "unsupported_file_type"),
        ([SentPart("file", fileName: "a.png", "")], "422", "unreadable_file"),
        ([SentPart("message", "no file")], "422", "no_file"),
        (Array(repeating: SentPart("file", fileName: "a.txt", "x"), count: 6), "422", "too_many_files"),
        ([SentPart("message", "a"), SentPart("message", "b")], "400", "invalid_body"),
        ([SentPart("message", "a\u{0}")], "400", "invalid_body"),
        (Array(repeating: SentPart("", fileName: "x", ""), count: 21), "400", "invalid_form"),
        ([SentPart("file", fileName: "a.txt", bytes: Array(repeating: 97, count: 300_001))], "413", "file_too_large"),
        (
            Array(repeating: SentPart("x", fileName: "a", bytes: Array(repeating: 97, count: 90_000)), count: 9), "413",
            "payload_too_large"
        ),
    ])
    func whatIsWrongWithAnUploadIsTold(parts: [SentPart], status: String, code: String) async throws {
        var limits = UploadLimits()
        limits.fileBytes = 300_000
        limits.requestBytes = 600_000
        try await UploadServer.with(limits: limits) { server in
            let body = multipartBody(parts, boundary: "b")
            let answer = try await send(body, to: server)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
            #expect(answer.contains("\"code\":\"\(code)\""))
            let chunk = Array("\(String(body.count, radix: 16))\r\n".utf8) + body + Array("\r\n0\r\n\r\n".utf8)
            let chunked = try await RawConnection.with(port: server.port) { reader, writer in
                try await writer.write(uploadHead(["Transfer-Encoding: chunked", "Connection: close"]))
                // The server may answer and close before it has taken all of it. The answer counts.
                try? await writer.write(ByteBuffer(bytes: chunk))
                return try await reader.read(until: "\u{0}")
            }
            #expect(chunked.contains("\"code\":\"\(code)\""))
            #expect(try server.spooledFiles() == [])
        }
    }

    @Test(arguments: [
        (["Content-Length: 52428801"], "413", "payload_too_large"),
        (["Content-Length: 99999999999999999"], "413", "payload_too_large"),
        (["Content-Length: 9", "Content-Encoding: gzip"], "415", "content_encoding_not_supported"),
        (["Content-Length: 9", "Content-Type: application/json"], "415", "unsupported_media_type"),
        (["Content-Length: 9", "Content-Type: multipart/mixed; boundary=b"], "415", "unsupported_media_type"),
        (["Content-Length: 9", "Content-Type: multipart/form-data"], "400", "invalid_form"),
        (["Content-Length: 9", "Content-Type: multipart/form-data; boundary=\"\""], "400", "invalid_form"),
    ])
    func headersAreJudgedBeforeTheBodyIsSent(fields: [String], status: String, code: String) async throws {
        try await UploadServer.with { server in
            let answer = try await RawConnection.with(port: server.port) { reader, writer in
                try await writer.write(uploadHead(fields))
                return try await reader.read(until: "\"request_id\"")
            }
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
            #expect(answer.contains("\"code\":\"\(code)\""))
        }
    }

    @Test func aWrongTypeIsToldAfterTheFirstBytesOfTheFile() async throws {
        try await UploadServer.with { server in
            let answer = try await RawConnection.with(port: server.port) { reader, writer in
                try await writer.write(uploadHead(["Content-Length: 10000000"]))
                let start = multipartBody(
                    [SentPart("file", fileName: "a.png", bytes: Array(repeating: 0, count: 9000))], boundary: "b")
                try await writer.write(ByteBuffer(bytes: start.prefix(8000)))
                return try await reader.read(until: "\"request_id\"")
            }
            #expect(answer.hasPrefix("HTTP/1.1 415 "))
        }
    }

    @Test func aFullSpoolIs503WithRetryAfterAndRecovers() async throws {
        try await UploadServer.with(maximumBytes: 600_000) { server in
            let large = SentPart("file", fileName: "a.txt", bytes: Array(repeating: 97, count: 599_000))
            let holder = try await server.spool.create()
            try server.spool.reserve(590_000, for: holder.path)
            let refused = try await send(multipartBody([large], boundary: "b"), to: server)
            #expect(refused.hasPrefix("HTTP/1.1 503 "))
            #expect(refused.contains("\"code\":\"storage_full\""))
            #expect(refused.lowercased().contains("\r\nretry-after: "))
            await server.spool.remove(holder.path)
            let accepted = try await send(multipartBody([large], boundary: "b"), to: server)
            #expect(accepted.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test(arguments: [1000, 400_000, 599_990])
    func aClientThatGoesAwayLeavesNoFile(sent: Int) async throws {
        try await UploadServer.with { server in
            let body = multipartBody(
                [SentPart("file", fileName: "a.txt", bytes: Array(repeating: 97, count: 600_000))], boundary: "b")
            try await RawConnection.with(port: server.port) { _, writer in
                try await writer.write(uploadHead(["Content-Length: \(body.count)"]))
                try await writer.write(ByteBuffer(bytes: body.prefix(sent)))
            }
            var outcomes = server.outcomes.makeAsyncIterator()
            guard case .failed = await outcomes.next() else { throw UploadFailure.noFile }
            #expect(try server.spooledFiles() == [])
            #expect(server.spool.usage == (0, 0))
        }
    }
}

/// Runs in a process of its own, because it measures the memory of the whole process.
@Suite struct UploadMemoryTests {
    @Test func sixteenUploadsOfTwentyMebibytesAtOnceStayWithin64Megabytes() async {
        await #expect(processExitsWith: .success) {
            try await UploadServer.with { server in
                try await sendLargeUpload(to: server, meeting: Meeting(of: 1))
                let before = try residentKilobytes("VmRSS")
                let meeting = Meeting(of: 16)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<16 { group.addTask { try await sendLargeUpload(to: server, meeting: meeting) } }
                    try await group.waitForAll()
                }
                let growth = try residentKilobytes("VmHWM") - before
                FileHandle.standardError.write(Data("memory grew by \(growth) kB\n".utf8))
                #expect(growth <= 64 * 1000)
            }
        }
    }
}

/// Sends 20 MiB, the last one when everybody has sent the others.
private func sendLargeUpload(to server: UploadServer, meeting: Meeting) async throws {
    let begin = "--b\r\nContent-Disposition: form-data; name=file; filename=a.txt\r\n\r\n"
    let end = "\r\n--b--\r\n"
    let mebibyte = ByteBuffer(repeating: 97, count: 1024 * 1024)
    let answer = try await RawConnection.with(port: server.port) { reader, writer in
        let length = begin.utf8.count + 20 * mebibyte.readableBytes + end.utf8.count
        try await writer.write(uploadHead(["Content-Length: \(length)", "Connection: close"]))
        try await writer.write(ByteBuffer(string: begin))
        for _ in 0..<19 { try await writer.write(mebibyte) }
        await meeting.arrive()
        try await writer.write(mebibyte)
        try await writer.write(ByteBuffer(string: end))
        return try await reader.read(until: "\u{0}")
    }
    #expect(answer.contains("[20971520]"))
}

private func residentKilobytes(_ name: String) throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name + ":") })
    return try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) })
}

/// A place where a number of tasks wait for each other.
private actor Meeting {
    private var missing: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(of count: Int) { missing = count }

    func arrive() async {
        missing -= 1
        if missing <= 0 { return waiting.forEach { $0.resume() } }
        await withCheckedContinuation { waiting.append($0) }
    }
}
