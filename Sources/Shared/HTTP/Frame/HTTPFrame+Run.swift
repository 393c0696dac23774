package import Hummingbird
import ServiceLifecycle

extension HTTPFrame {
    /// Runs an application until SIGTERM or SIGINT, then stops it within `SHUTDOWN_GRACE_SECONDS`.
    package func run(_ application: Application<RouterResponder<ServiceContext>>) async throws {
        var configuration = ServiceGroupConfiguration(
            services: [.init(service: application)],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = .seconds(settings.shutdownGraceSeconds)
        try await ServiceGroup(configuration: configuration).run()
    }
}
