import Foundation
import Logging
import Shared

/// The process: serves until it is told to stop, or says on standard error why it cannot. With the argument `migrate`
/// it brings the database to the schema of both services and ends: for a role that may, where the services' own may
/// not.
@main
struct Main {
    static func main() async {
        do {
            switch Array(CommandLine.arguments.dropFirst()) {
            case []: try await serve()
            case ["migrate"]: try await migrate()
            default: throw UnknownArguments()
            }
        } catch {
            FileHandle.standardError.write(Data("AuthService: \(error)\n".utf8))
            // sysexits.h: 78 tells a supervisor that starting again will not help.
            exit(error is SettingsError ? 78 : 1)
        }
    }

    /// Nothing but `migrate` is known.
    private struct UnknownArguments: Error, CustomStringConvertible {
        let description = "usage: AuthService [migrate]"
    }

    private static func migrate() async throws {
        var reader = SettingsReader()
        let (log, settings) = (LogSettings(&reader), DatabaseSettings(&reader))
        try reader.finish()
        log.bootstrap()
        let logger = Logger(label: "AuthService")
        let database = PostgresDatabase(settings: PostgresSettings(url: settings.url.value), logger: logger)
        do {
            try await Migrator().migrate(database, logger: logger)
        } catch {
            await database.close()
            throw error
        }
        await database.close()
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
