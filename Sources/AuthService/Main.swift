import Foundation
import Logging
import Shared

/// The process: serves until it is told to stop, or says on standard error why it cannot.
@main
struct Main {
    static func main() async {
        do {
            try await serve()
        } catch {
            FileHandle.standardError.write(Data("AuthService: \(error)\n".utf8))
            // sysexits.h: 78 tells a supervisor that starting again will not help.
            exit(error is SettingsError ? 78 : 1)
        }
    }

    private static func serve() async throws {
        var reader = SettingsReader()
        let settings = AuthSettings(&reader)
        try reader.finish()
        settings.log.bootstrap()
        PrometheusRegistry.bootstrap()
        try await AuthApplication(settings, logger: Logger(label: "AuthService")).run()
    }
}
