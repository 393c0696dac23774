import CurlHTTP
import Synchronization

/// The HTTP clients of a whole test process.
///
/// Several, because libcurl looks at each transfer of a client whenever anything happens: a load of thousands of calls
/// is spread over them.
enum TestTransport {
    private static let clients = (0..<8).map { _ in
        HTTPClient(HTTPClient.Settings(connectTime: .seconds(10), concurrency: 1_000))
    }
    private static let turn = Atomic(0)

    /// Sends a request through the next client.
    static func send(_ request: HTTPClientRequest) -> HTTPClientResponse {
        let number = turn.add(1, ordering: .relaxed).oldValue
        return clients[number % clients.count].send(request)
    }
}

/// A response on its way that can be handed around.
final class SharedResponse: Sendable {
    let response: HTTPClientResponse
    /// A piece of the body that was read ahead.
    private let first = Mutex<[UInt8]>([])

    init(_ response: consuming HTTPClientResponse) { self.response = response }

    /// Reads the next piece of the body ahead.
    func readAhead() async throws {
        if case .body(let bytes)? = try await response.next() { first.withLock { $0 += bytes } }
    }

    /// Returns the next bytes of the body, or nil at its end.
    func next() async throws -> [UInt8]? {
        let ahead = first.withLock { first in
            defer { first = [] }
            return first
        }
        guard ahead.isEmpty else { return ahead }
        guard case .body(let bytes)? = try await response.next() else { return nil }
        return bytes
    }
}
