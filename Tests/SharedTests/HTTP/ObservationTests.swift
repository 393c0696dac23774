import CoreMetrics
import Foundation
import Logging
import NIOCore
import Shared
import Testing

@Suite("Metrics")
struct MetricsTests {
    @Test("writes counters, gauges and histograms as Prometheus text")
    func exposition() {
        let registry = PrometheusRegistry()
        registry.makeCounter(label: "jobs.total", dimensions: [("state", "a\"b\\c\nd")]).increment(by: 3)
        registry.makeMeter(label: "open", dimensions: []).set(2.5)
        let timer = registry.makeTimer(label: "wait_seconds", dimensions: [("z", "1"), ("a", "2")])
        timer.recordNanoseconds(1_000_000)
        timer.recordNanoseconds(400_000_000_000)
        let lines = String(buffer: registry.exposition()).split(separator: "\n").map(String.init)
        #expect(lines.contains("# TYPE jobs_total counter"))
        #expect(lines.contains(#"jobs_total{state="a\"b\\c\nd"} 3"#))
        #expect(lines.contains("open 2.5"))
        #expect(lines.contains(#"wait_seconds_bucket{a="2",z="1",le="0.0005"} 0"#))
        #expect(lines.contains(#"wait_seconds_bucket{a="2",z="1",le="0.001"} 1"#))
        #expect(lines.contains(#"wait_seconds_bucket{a="2",z="1",le="+Inf"} 2"#))
        #expect(lines.contains(#"wait_seconds_sum{a="2",z="1"} 400.001"#))
        #expect(lines.contains(#"wait_seconds_count{a="2",z="1"} 2"#))
    }

    @Test("the same name and labels are the same series; another kind of the same name is not exposed")
    func identity() {
        let registry = PrometheusRegistry()
        for _ in 0..<2 { registry.makeCounter(label: "c", dimensions: [("a", "1"), ("b", "2")]).increment(by: 1) }
        registry.makeCounter(label: "c", dimensions: [("b", "2"), ("a", "1")]).increment(by: 1)
        registry.makeMeter(label: "c", dimensions: []).set(9.0)
        #expect(String(buffer: registry.exposition()) == "# TYPE c counter\nc{a=\"1\",b=\"2\"} 3\n")
    }

    @Test("labels out of bounds share one series")
    func cardinality() {
        let registry = PrometheusRegistry(seriesMax: 10)
        for index in 0..<1000 { registry.makeCounter(label: "c", dimensions: [("user", "\(index)")]).increment(by: 1) }
        let text = String(buffer: registry.exposition())
        #expect(text.contains(#"c{overflow="true"} 990"#))
        #expect(text.split(separator: "\n").count == 12)
    }

    @Test("a destroyed series is gone")
    func destroyed() {
        let registry = PrometheusRegistry()
        registry.destroyCounter(registry.makeCounter(label: "c", dimensions: []))
        #expect(registry.exposition().readableBytes == 0)
    }
}

@Suite("Log lines")
struct LogLineTests {
    private static let time = Timestamp(microseconds: 1_767_323_045_006_789)
    private static let nasty = "a\nb\r\u{2028}\"\\\u{1B}[31m\0"

    @Test("JSON: one object a line that a strict parser reads, whatever is in it")
    func json() throws {
        let line = LogLine.make(
            .json, level: .warning, message: Self.nasty, label: "x",
            metadata: [
                ["request_id": "r", "time": "mine", "n": "\(5)"], ["list": ["a", ["k": .string(Self.nasty)]]],
            ], time: Self.time
        )
        let text = String(decoding: line, as: UTF8.self)
        #expect(text.hasSuffix("\n") && text.dropLast().utf8.allSatisfy { $0 != 0x0A })
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        #expect(object?["time"] as? String == "2026-01-02T03:04:05.006789Z")
        #expect(object?["message"] as? String == Self.nasty)
        #expect(object?["level"] as? String == "warning")
        #expect(object?["_time"] as? String == "mine")
        #expect(object?["request_id"] as? String == "r")
    }

    @Test("text: one line, no control character, later metadata wins")
    func text() {
        let line = LogLine.make(
            .text, level: .info, message: Self.nasty, label: "x",
            metadata: [["a": "1", "b": "old"], ["b": "two words"]],
            time: Self.time
        )
        let text = String(decoding: line, as: UTF8.self)
        #expect(text.hasPrefix("2026-01-02T03:04:05.006789Z info x: a\\nb\\r"))
        #expect(text.hasSuffix(" a=1 b=\"two words\"\n"))
        #expect(text.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && $0 != "\u{7F}" && $0 != "\u{2028}" })
    }
}
