import CoreMetrics
import HTTPTypes
import NIOCore
import Synchronization

/// Requests by route template, method and status, how long they took, and how many are running.
final class RequestMetrics: Sendable {
    private struct Key: Hashable {
        let route: String
        let method: String
        let status: Int
    }

    private struct Series {
        let count: any CounterHandler
        let seconds: HistogramSeries
    }

    private let registry: PrometheusRegistry
    private let series = Mutex<[Key: Series]>([:])
    private let running = Atomic<Int>(0)
    private let runningGauge: any MeterHandler

    init(registry: PrometheusRegistry) {
        self.registry = registry
        runningGauge = registry.makeMeter(label: "http_requests_in_flight", dimensions: [])
    }

    /// How many requests have begun and not ended.
    var inFlight: Int { running.load(ordering: .acquiring) }

    func began() {
        running.wrappingAdd(1, ordering: .acquiringAndReleasing)
    }

    func ended() {
        running.wrappingSubtract(1, ordering: .acquiringAndReleasing)
    }

    func record(route: String, method: HTTPRequest.Method, status: Int, duration: TimeAmount) {
        let key = Key(route: route, method: method.label, status: status)
        let series = series.withLock { known in
            if let series = known[key] { return series }
            let made = make(key)
            known[key] = made
            return made
        }
        series.count.increment(by: 1)
        series.seconds.recordNanoseconds(duration.nanoseconds)
    }

    /// Brings the gauge up to date; before each exposition.
    func refresh() {
        runningGauge.set(Int64(inFlight))
    }

    private func make(_ key: Key) -> Series {
        let labels = [("route", key.route), ("method", key.method)]
        return Series(
            count: registry.makeCounter(
                label: "http_requests_total", dimensions: labels + [("status", String(key.status))]
            ),
            seconds: registry.histogram("http_request_duration_seconds", labels)
        )
    }
}

extension HTTPRequest.Method {
    private static let known: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]

    /// The method, or OTHER for what a client made up.
    var label: String { Self.known.contains(self) ? rawValue : "OTHER" }
}
