package import Foundation
package import NIOCore

/// A `multipart/form-data` body (RFC 7578) as browsers and curl write it.
package struct MultipartForm: Sendable {
    private let boundary = "parley-" + UUID().uuidString
    private var parts = ByteBuffer()

    package init(fields: [(String, String)] = []) {
        for (name, value) in fields { add(name, value) }
    }

    /// A field.
    package mutating func add(_ name: String, _ value: String) {
        parts.writeString("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n")
    }

    package mutating func add(file name: String, bytes: Data, field: String = "file") {
        parts.writeString(
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(field)\"; filename=\"\(name)\"\r\n")
        parts.writeString("Content-Type: application/octet-stream\r\n\r\n")
        parts.writeBytes(bytes)
        parts.writeString("\r\n")
    }

    package var contentType: String { "multipart/form-data; boundary=\(boundary)" }

    package var body: ByteBuffer {
        var body = parts
        body.writeString("--\(boundary)--\r\n")
        return body
    }
}
