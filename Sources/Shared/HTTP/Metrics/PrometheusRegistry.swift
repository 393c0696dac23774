package import CoreMetrics
package import NIOCore
import Synchronization

/// Keeps what swift-metrics reports and writes it as Prometheus text (exposition format 0.0.4).
///
/// Every family has at most `seriesMax` label sets; what comes after shares one series with the label `overflow`, so
/// that a label made of user input can fill neither memory nor the monitoring.
package final class PrometheusRegistry: MetricsFactory {
    /// The registry of the process, installed behind swift-metrics when it is first used.
    package static let shared: PrometheusRegistry = {
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        return registry
    }()

    /// Makes swift-metrics report to `shared`. First thing in the main function: what was made before reports nothing.
    package static func bootstrap() { _ = shared }

    private let seriesMax: Int
    private let families = Mutex<[String: MetricFamily]>([:])

    package init(seriesMax: Int = 500) {
        self.seriesMax = seriesMax
    }

    // MARK: MetricsFactory

    /// A count that only grows; the same one for the same label and dimensions, as everywhere below.
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, .counter, dimensions) { CounterSeries() } as? CounterSeries ?? CounterSeries()
    }

    /// A count of fractions.
    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, .counter, dimensions) { GaugeSeries() } as? GaugeSeries ?? GaugeSeries()
    }

    /// A number that goes up and down.
    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, .gauge, dimensions) { GaugeSeries() } as? GaugeSeries ?? GaugeSeries()
    }

    /// A histogram of what is recorded, or the last value if nothing is to be aggregated.
    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else {
            return series(label, .gauge, dimensions) { GaugeSeries() } as? GaugeSeries ?? GaugeSeries()
        }
        return histogram(label, dimensions)
    }

    /// A histogram of durations, in seconds.
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions)
    }

    /// A histogram of seconds (or of whatever is recorded); the same one for the same name and labels.
    func histogram(_ label: String, _ dimensions: [(String, String)]) -> HistogramSeries {
        series(label, .histogram, dimensions) { HistogramSeries() } as? HistogramSeries ?? HistogramSeries()
    }

    /// Stops exposing a counter.
    package func destroyCounter(_ handler: any CounterHandler) { forget(handler) }
    /// Stops exposing a counter of fractions.
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { forget(handler) }
    /// Stops exposing a gauge.
    package func destroyMeter(_ handler: any MeterHandler) { forget(handler) }
    /// Stops exposing a recorder.
    package func destroyRecorder(_ handler: any RecorderHandler) { forget(handler) }
    /// Stops exposing a timer.
    package func destroyTimer(_ handler: any TimerHandler) { forget(handler) }

    private func forget(_ handler: AnyObject) {
        families.withLock { families in
            for name in families.keys { families[name]?.series.removeAll { $0.values === handler } }
        }
    }

    /// The series of a name and labels, made when there is none. A name that is already of another kind gets a series
    /// that nobody reads: a mistake in a label must not stop a service.
    private func series(
        _ label: String, _ kind: MetricFamily.Kind, _ dimensions: [(String, String)],
        make: () -> any MetricSeries
    ) -> any MetricSeries {
        let name = MetricFamily.name(of: label)
        return families.withLock { families in
            var family = families[name] ?? MetricFamily(name: name, kind: kind)
            guard family.kind == kind else { return make() }
            let found = family.series(labels: dimensions, seriesMax: seriesMax, make: make)
            families[name] = family
            return found
        }
    }

    /// Everything, by name.
    package func exposition() -> ByteBuffer {
        let families = families.withLock { $0.values.sorted { $0.name < $1.name } }
        var text = ByteBufferAllocator().buffer(capacity: 16 * 1024)
        for family in families { family.write(into: &text) }
        return text
    }
}
