/// Runs `body` in a child task of its own and returns what it returns, or throws what it throws.
///
/// A task keeps the memory of its deepest call until it ends: one that waits for hours, as that of each reader of
/// events does, makes its deep calls in here. It costs a turn of the cooperative pool, so it is not for what is called
/// often.
package func inChildTask<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask(operation: body)
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}
