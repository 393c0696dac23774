import NIOCore
import Shared
import Testing

@testable import ChatService

/// What the frame's rules of connections mean for uploads.
@Suite struct UploadConnectionTests {
    @Test func aClientThatWaitsIsToldToGoOn() async throws {
        try await UploadServer.with { server in
            let body = multipartBody([SentPart("file", fileName: "a.txt", "hello")], boundary: "b")
            let answer = try await RawConnection.with(port: server.port) { reader, writer in
                try await writer.write(
                    uploadHead(["Content-Length: \(body.count)", "Expect: 100-continue", "Connection: close"]))
                #expect(try await reader.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
                try await writer.write(ByteBuffer(bytes: body))
                return try await reader.read(until: "\u{0}")
            }
            #expect(answer.contains("HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test func aClientThatStallsIsTold() async throws {
        var connection = HTTPLimits()
        connection.bodySeconds = 1
        try await UploadServer.with(connection: connection) { server in
            let answer = try await RawConnection.with(port: server.port) { reader, writer in
                try await writer.write(uploadHead(["Content-Length: 10000"]))
                try await writer.write(ByteBuffer(string: "--b\r\n"))
                return try await reader.read(until: "\"request_id\"")
            }
            #expect(answer.hasPrefix("HTTP/1.1 408 "))
            #expect(try server.spooledFiles() == [])
        }
    }
}
