import CoreMetrics
import NIOCore
import Synchronization

/// The values of one name and set of labels.
protocol MetricSeries: AnyObject, Sendable {
    func write(name: String, labels: String, into text: inout ByteBuffer)
}

/// A count that only grows.
final class CounterSeries: MetricSeries, CounterHandler {
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }

    func write(name: String, labels: String, into text: inout ByteBuffer) {
        text.writeSample(name, labels, String(value.load(ordering: .relaxed)))
    }
}

/// A number that goes up and down; also what swift-metrics calls a recorder that does not aggregate, and its counter
/// of fractions.
final class GaugeSeries: MetricSeries, MeterHandler, RecorderHandler, FloatingPointCounterHandler {
    private let value = Mutex<Double>(0)

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func reset() { set(0.0) }

    func write(name: String, labels: String, into text: inout ByteBuffer) {
        text.writeSample(name, labels, value.withLock { $0 }.prometheusText)
    }
}

/// Counts values by size, for percentiles; durations in seconds.
final class HistogramSeries: MetricSeries, TimerHandler, RecorderHandler {
    /// From half a millisecond to two minutes: a read of ours and an answer of a language model are both in there.
    private static let bounds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
    ]

    private struct Counts {
        var buckets = [Int](repeating: 0, count: HistogramSeries.bounds.count + 1)
        var sum: Double = 0
    }

    private let counts = Mutex(Counts())

    func record(_ value: Int64) { record(Double(value)) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1_000_000_000) }

    func record(_ value: Double) {
        let index = Self.bounds.firstIndex { value <= $0 } ?? Self.bounds.count
        counts.withLock { counts in
            counts.buckets[index] += 1
            counts.sum += value
        }
    }

    func write(name: String, labels: String, into text: inout ByteBuffer) {
        let counts = counts.withLock { $0 }
        let prefix = labels.isEmpty ? "" : labels + ","
        var count = 0
        for (bound, inBucket) in zip(Self.bounds, counts.buckets) {
            count += inBucket
            text.writeSample(name + "_bucket", prefix + "le=\"\(bound.prometheusText)\"", String(count))
        }
        count += counts.buckets[Self.bounds.count]
        text.writeSample(name + "_bucket", prefix + "le=\"+Inf\"", String(count))
        text.writeSample(name + "_sum", labels, counts.sum.prometheusText)
        text.writeSample(name + "_count", labels, String(count))
    }
}

extension Double {
    /// Without a needless ".0"; infinities and NaN as Prometheus spells them.
    fileprivate var prometheusText: String {
        if isNaN { return "NaN" }
        if isInfinite { return self < 0 ? "-Inf" : "+Inf" }
        return self == rounded() && magnitude < 1e15 ? String(Int64(self)) : String(self)
    }
}

extension ByteBuffer {
    fileprivate mutating func writeSample(_ name: String, _ labels: String, _ value: String) {
        writeString(name)
        if !labels.isEmpty { writeString("{\(labels)}") }
        writeString(" \(value)\n")
    }
}
