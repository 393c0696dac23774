import Glibc
import TestSupport

/// A TCP connection with a small receive buffer (socket(7), `SO_RCVBUF`), of which nothing is read but what a test asks
/// for: the client that pulls at the server's memory.
struct UnreadConnection: Sendable {
    private static let bufferBytes: Int32 = 32 << 10
    private let descriptor: Int32

    /// Runs `body` with a connection to a port of this machine.
    static func open(port: Int, _ body: (UnreadConnection) async throws -> Void) async throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SuiteFault(description: "no socket: \(errno)") }
        defer { close(descriptor) }
        // Before the connection is made: its window is agreed upon then.
        var size = bufferBytes
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw SuiteFault(description: "not connected: \(errno)") }
        try await body(UnreadConnection(descriptor: descriptor))
    }

    /// Sends these bytes and nothing else.
    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        guard Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw SuiteFault(description: "not sent: \(errno)")
        }
    }

    /// Reads until there are so many bytes, and some more.
    func receive(atLeast count: Int) async throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            let part = try await polling(for: "bytes of the answer", atMost: .seconds(60), every: .milliseconds(2)) {
                try receivePart()
            }
            all += part
        }
        return all
    }

    /// What has come; nil if nothing has.
    private func receivePart() throws -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: Int(Self.bufferBytes))
        let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        if count > 0 { return Array(bytes.prefix(count)) }
        guard count < 0, errno == EAGAIN else {
            throw SuiteFault(description: count == 0 ? "the answer has ended" : "not received: \(errno)")
        }
        return nil
    }
}
