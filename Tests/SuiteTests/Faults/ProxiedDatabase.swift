import Foundation
import TestSupport

@testable import Chaos

/// Lends a database of its own, and a way to it that can be cut.
///
/// - Parameter body: gets the URL of the database and the settings of a process that goes through the proxy.
func withProxiedDatabase(
    _ body: @escaping @Sendable (_ url: String, _ through: [String: String], DatabaseProxy) async throws -> Void
) async throws {
    let test = try await TestDatabase.make()
    let result: Result<Void, any Error>
    do {
        var url = try URLComponents(string: test.url).orThrow("URL")
        try await DatabaseProxy.run(to: try url.port.orThrow("port")) { proxy in
            url.port = proxy.port
            try await body(test.url, ["DATABASE_URL": try url.string.orThrow("URL")], proxy)
        }
        result = .success(())
    } catch { result = .failure(error) }
    try await test.drop()
    try result.get()
}
