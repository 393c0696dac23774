import Foundation
import Shared
import Testing

@Suite("The log's own thread")
struct LogSinkTests {
    private let pipe = Pipe()

    @Test func linesOfManyThreadsArriveWholeAndInTheOrderOfEach() async throws {
        let sink = LogSink(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        async let read = lines(count: 4 * 500)
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask { for number in 0..<500 { sink.write(Array("\(writer) \(number)\n".utf8)) } }
            }
        }
        let lines = await read
        for writer in 0..<4 {
            #expect(lines.filter { $0.hasPrefix("\(writer) ") } == (0..<500).map { "\(writer) \($0)" })
        }
    }

    @Test func aLogThatNobodyReadsLosesLinesAndSaysHowMany() async throws {
        let sink = LogSink(descriptor: pipe.fileHandleForWriting.fileDescriptor, bytesMax: 1 << 16)
        // A pipe holds 64 KiB, the sink another 64 KiB and the batch that it is writing; the rest must go.
        let line = Array((String(repeating: "x", count: 1023) + "\n").utf8)
        for _ in 0..<1000 { sink.write(line) }
        let read = await lines { $0.count - $0.count(where: Self.isLoss) + Self.lost($0) == 1000 }
        #expect(Self.lost(read) >= 1000 - 3 * 64)
    }

    private static func isLoss(_ line: String) -> Bool { line.hasSuffix("the log was not read in time") }

    /// How many lines all the lines about lost ones speak of.
    private static func lost(_ lines: [String]) -> Int {
        lines.filter(isLoss).reduce(0) { $0 + (Int($1.prefix { $0 != " " }) ?? 0) }
    }

    @Test func flushingWaitsForWhatWasTaken() async throws {
        let sink = LogSink(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        sink.write(Array("last words\n".utf8))
        sink.flush()
        #expect(String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self) == "last words\n")
    }

    private func lines(count: Int) async -> [String] {
        await lines { $0.count == count }
    }

    /// The lines until `isEnough` of those that came. Reads on a thread of Dispatch, because reading a pipe blocks.
    private func lines(until isEnough: @escaping @Sendable ([String]) -> Bool) async -> [String] {
        let reader = pipe.fileHandleForReading
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var lines: [String] = []
                var rest = ""
                while true {
                    let data = reader.availableData
                    guard !data.isEmpty else { return continuation.resume(returning: lines) }
                    rest += String(decoding: data, as: UTF8.self)
                    while let end = rest.firstIndex(of: "\n") {
                        lines.append(String(rest[..<end]))
                        rest = String(rest[rest.index(after: end)...])
                        if isEnough(lines) { return continuation.resume(returning: lines) }
                    }
                }
            }
        }
    }
}
