import Foundation
import Shared

/// Everything AuthService is told from outside, checked.
struct AuthSettings: Sendable {
    var http: HTTPSettings
    var log: LogSettings
    var database: DatabaseSettings
    var token: TokenSettings
    var accessTokenSeconds: Int
    var refreshTokenDays: Int
    /// Passwords hashed at the same time: a core and 19 MiB each.
    var hashWorkers: Int
    /// From one client address; 0: no limit.
    var registrationsPerHour: Int
    /// Nil: no mail can be sent.
    var mail: MailSettings?

    init(_ reader: inout SettingsReader) {
        http = HTTPSettings(&reader, defaultPort: 8080)
        log = LogSettings(&reader)
        database = DatabaseSettings(&reader)
        token = TokenSettings(&reader)
        accessTokenSeconds = reader.int("ACCESS_TOKEN_SECONDS", default: 900, in: 1...604_800)
        refreshTokenDays = reader.int("REFRESH_TOKEN_DAYS", default: 30, in: 1...3_650)
        let halfTheCores = max(1, ProcessInfo.processInfo.activeProcessorCount / 2)
        hashWorkers = reader.int("HASH_WORKERS", default: halfTheCores, in: 1...256)
        registrationsPerHour = reader.int("REGISTRATIONS_PER_HOUR", default: 100, in: 0...1_000_000)
        mail = MailSettings.read(&reader, page: http.corsOrigins.first)
    }

    /// Sessions live as long as these settings say.
    var sessionLimits: SessionLimits {
        SessionLimits(accessTokenSeconds: accessTokenSeconds, idleDays: refreshTokenDays)
    }
}
