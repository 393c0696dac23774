import Foundation
import Synchronization

/// What a spawned process has written so far, line by line, and a way to wait for a line to come.
package final class ServiceLog: Sendable {
    private struct State {
        var lines: [String] = []
        var hasEnded = false
        var readers: [UUID: AsyncStream<String>.Continuation] = [:]
    }

    private let state = Mutex(State())

    /// Everything so far.
    package var text: String { state.withLock { $0.lines.joined(separator: "\n") } }

    /// All lines from the first one on, those still to come too; ends when the process has closed its output.
    package var lines: AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        let id = UUID()
        continuation.onTermination = { [weak self] _ in self?.state.withLock { _ = $0.readers.removeValue(forKey: id) }
        }
        let hasEnded = state.withLock { state in
            for line in state.lines { continuation.yield(line) }
            if !state.hasEnded { state.readers[id] = continuation }
            return state.hasEnded
        }
        if hasEnded { continuation.finish() }
        return stream
    }

    /// Reads until the end of `handle` on a thread of its own.
    func follow(_ handle: FileHandle, name: String) {
        let thread = Thread { [self] in
            var rest = Data()
            while case let data = handle.availableData, !data.isEmpty {
                rest.append(data)
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    append(String(decoding: rest[..<end], as: UTF8.self))
                    rest = Data(rest[rest.index(after: end)...])
                }
            }
            if !rest.isEmpty { append(String(decoding: rest, as: UTF8.self)) }
            end()
        }
        thread.name = "log \(name)"
        thread.start()
    }

    private func append(_ line: String) {
        let readers = state.withLock { state in
            state.lines.append(line)
            return Array(state.readers.values)
        }
        for reader in readers { reader.yield(line) }
    }

    private func end() {
        let readers = state.withLock { state in
            state.hasEnded = true
            return Array(state.readers.values)
        }
        for reader in readers { reader.finish() }
    }
}
