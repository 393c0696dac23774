import Dispatch
import Foundation
import Hummingbird
import Logging
package import ServiceLifecycle
import Synchronization

extension HTTPFrame {
    /// Runs an application until SIGTERM or SIGINT, and then stops it within `SHUTDOWN_GRACE_SECONDS`: first `/readyz`
    /// says no, then the server closes its socket, lets its requests finish and ends each connection with an answer,
    /// then the services beside it stop, the last one started first. What has not finished a second before the end is
    /// cancelled; what does not heed that is ended with the process.
    package func run(_ application: ServiceApplication) async throws {
        let deadline = GraceDeadline(seconds: settings.shutdownGraceSeconds, logger: logger)
        defer { deadline.cancel() }
        try await serviceGroup(application, deadline: deadline).run()
    }

    /// What `run` runs, without the end of the process behind it; a test stops it with `triggerGracefulShutdown`
    /// instead of a signal.
    package func serviceGroup(_ application: ServiceApplication) -> ServiceGroup {
        serviceGroup(application, deadline: nil)
    }

    private func serviceGroup(
        _ application: ServiceApplication, deadline: GraceDeadline?
    ) -> ServiceGroup {
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: application),
                .init(
                    service: DrainGate(
                        drain: drain, metrics: metrics, settings: settings, logger: logger, deadline: deadline
                    )
                ),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        let grace = Duration.seconds(settings.shutdownGraceSeconds)
        configuration.maximumGracefulShutdownDuration = max(.milliseconds(500), grace - .seconds(1))
        return ServiceGroup(configuration: configuration)
    }
}

/// The first thing to stop. As long as it takes, the socket stays open and `/readyz` answers 503: until the requests
/// of the moment have ended, but not for longer than a quarter of the grace. Connections are kept meanwhile: if each
/// answer ended one, a proxy would open new ones, and those that the kernel has taken but we have not are lost when the
/// socket closes.
private struct DrainGate: Service {
    let drain: Drain
    let metrics: RequestMetrics
    let settings: HTTPSettings
    let logger: Logger
    let deadline: GraceDeadline?

    func run() async throws {
        try? await gracefulShutdown()
        drain.begin()
        logger.notice("stopping", metadata: ["grace_seconds": "\(settings.shutdownGraceSeconds)"])
        deadline?.start()
        let end = ContinuousClock.now + .seconds(settings.shutdownGraceSeconds) / 4
        while metrics.inFlight > 0, ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(20)) }
    }
}

/// Ends the process when stopping takes longer than it may. On a thread of Dispatch, so that it works also when the
/// cooperative pool is stuck.
private final class GraceDeadline: Sendable {
    private let seconds: Int
    private let logger: Logger
    private let isCancelled = Atomic<Bool>(false)

    init(seconds: Int, logger: Logger) {
        self.seconds = seconds
        self.logger = logger
    }

    func start() {
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(seconds)) {
            guard !self.isCancelled.load(ordering: .acquiring) else { return }
            self.logger.critical("did not stop in time, ending the process")
            LogSink.standardError.flush()
            _exit(1)
        }
    }

    /// Everything has stopped.
    func cancel() {
        isCancelled.store(true, ordering: .releasing)
    }
}
