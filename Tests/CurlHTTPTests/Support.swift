import CurlHTTP
import TestSupport

/// A whole response, for tests that do not look at its pieces.
struct WholeResponse: Equatable {
    var head: HTTPResponseHead
    var body: [UInt8] = []

    var text: String { String(decoding: body, as: UTF8.self) }

    init(_ response: consuming HTTPClientResponse) async throws(HTTPClientError) {
        guard case .head(let head)? = try await response.next() else { throw .invalidRequest }
        self.head = head
        while case .body(let bytes)? = try await response.next() { body += bytes }
    }
}

/// Runs `body` with a client of its own and shuts it down.
func withClient<Outcome>(
    _ settings: HTTPClient.Settings = HTTPClient.Settings(), _ body: (HTTPClient) async throws -> Outcome
) async throws -> Outcome {
    let client = HTTPClient(settings)
    do {
        let outcome = try await body(client)
        await client.shutDown()
        return outcome
    } catch {
        await client.shutDown()
        throw error
    }
}

/// The error of a request, or nil if it got a whole response.
func fault(of request: HTTPClientRequest, by client: HTTPClient) async -> HTTPClientError? {
    do throws(HTTPClientError) {
        _ = try await WholeResponse(client.send(request))
        return nil
    } catch {
        return error
    }
}

extension HTTPClientError {
    /// libcurl's code, if libcurl gave up.
    var code: Int? {
        guard case .failed(let code, _) = self else { return nil }
        return code
    }
}
