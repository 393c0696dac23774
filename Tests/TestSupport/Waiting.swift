/// What a test waited for did not come.
package struct WaitedInVain: Error, CustomStringConvertible {
    package let what: String
    package let limit: Duration

    package var description: String { "waited \(limit) in vain for \(what)" }
}

/// Runs `body`, and gives up with a sentence after `limit`: a test that hangs says what it waited for.
package func waiting<R: Sendable>(
    for what: String, atMost limit: Duration, _ body: @escaping @Sendable () async throws -> R
) async throws -> R {
    try await withThrowingTaskGroup(of: R?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let result = first else {
            throw WaitedInVain(what: what, limit: limit)
        }
        return result
    }
}

/// Asks `body` again and again until it gives something: for a state that nothing announces, such as an answer of a
/// service in another process.
package func polling<R: Sendable>(
    for what: String, atMost limit: Duration, every pause: Duration = .milliseconds(50),
    _ body: @escaping @Sendable () async throws -> R?
) async throws -> R {
    try await waiting(for: what, atMost: limit) {
        while true {
            if let result = try await body() { return result }
            try await Task.sleep(for: pause)
        }
    }
}
