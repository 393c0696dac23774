import Hummingbird
import Logging
import Shared

/// AuthService, wired. The process and the tests run the same one.
struct AuthApplication: Sendable {
    /// Logins that may wait for each hashing thread: at 30 ms a hash, about eight seconds of waiting.
    private static let hashesWaitingPerWorker = 256

    let database: PostgresDatabase
    private let settings: AuthSettings
    private let frame: HTTPFrame
    private let hasher: PasswordHasher
    private let revoked: RevokedSessions
    private let mails: Doorbell?
    private let profiles: ProfileAnswers
    private let logger: Logger

    /// Starts the hashing threads; nothing else runs, and no socket opens, before `run`.
    /// - Parameters:
    ///   - requestLog: nil: to standard error.
    ///   - hashCost: what a password hash costs.
    init(
        _ settings: AuthSettings, logger: Logger, requestLog: RequestLog? = nil,
        hashCost: PasswordHasher.Cost = PasswordHasher.Cost()
    ) async throws {
        (self.settings, self.logger) = (settings, logger)
        database = PostgresDatabase(
            settings: Self.postgres(settings.database), logger: logger)
        hasher = try await PasswordHasher(
            workers: settings.hashWorkers, waitingMax: settings.hashWorkers * Self.hashesWaitingPerWorker,
            cost: hashCost)
        profiles = ProfileAnswers(database: database)
        mails = settings.mail.map { _ in Doorbell() }
        revoked = RevokedSessions()
        frame = HTTPFrame(
            name: "AuthService", settings: settings.http, log: settings.log,
            checks: Self.readiness(of: database, sendsMail: settings.mail != nil, logger: logger),
            openAPI: PackageResources.openapi_json, logger: logger, requestLog: requestLog)
    }

    /// Runs until SIGTERM or SIGINT.
    func run() async throws { try await frame.run(server) }

    /// The server with all that runs beside it. Stopped in the opposite order: requests first, the database last.
    var server: ServiceApplication {
        let migrator = Migrator()
        let schema = SchemaGate()
        let feed = RevokedSessionsFeed(database: database, sessions: revoked, logger: logger)
        return frame.application(
            router,
            services: [
                database, PostgresGauges(database: database), hasher, schema.behind(feed), profiles,
                ExpirySweep(database: database, seal: SecretSeal(settings.token), logger: logger),
            ] + mailPools.map { schema.behind($0) },
            beforeServing: {
                try await migrator.migrate(database, logger: logger)
                try await feed.load()
                schema.open()
            })
    }

    private var mailPools: [MailPool] {
        guard let mail = settings.mail, let mails else { return [] }
        let client = SMTPClient(mail)
        return [MailPool(database: database, settings: mail, client: client, doorbell: mails, logger: logger)]
    }

    private static func readiness(
        of database: PostgresDatabase, sendsMail: Bool, logger: Logger
    ) -> [ReadinessCheck] {
        [
            ReadinessCheck("database") {
                do { try await database.ping() } catch { return "unreachable" }
                return nil
            },
            ReadinessCheck("migrations") {
                guard let pending = try? await Migrator().pending(database, logger: logger) else { return "unknown" }
                return pending.isEmpty ? nil : "\(pending.count) not applied"
            },
            ReadinessCheck("mail", note: sendsMail ? "on" : "off"),
        ]
    }

    private static func postgres(_ settings: DatabaseSettings) -> PostgresSettings {
        var postgres = PostgresSettings(url: settings.url.value)
        postgres.connections = settings.connections
        postgres.applicationName = "parley-auth"
        return postgres
    }

    private var router: Router<ServiceContext> {
        let passwords = PasswordCheck(database: database, hasher: hasher)
        let issuer = TokenIssuer(settings.token, limits: settings.sessionLimits)
        let verifier = AccessTokenVerifier(reader: AccessTokenReader(keys: settings.token.keys), revoked: revoked)
        let accounts = AccountRoutes(
            database: database, hasher: hasher, passwords: passwords, issuer: issuer, revoked: revoked,
            profiles: profiles, registrationsPerHour: settings.registrationsPerHour, mails: mails)
        let check = SecondFactorCheck(seal: SecretSeal(settings.token), logger: logger)
        let sessions = SessionRoutes(
            database: database, hasher: hasher, passwords: passwords, secondFactors: check, issuer: issuer,
            revoked: revoked)
        let secondFactors = SecondFactorRoutes(database: database, passwords: passwords, check: check)

        let router = frame.makeRouter()
        router.post("register", use: accounts.register)
        router.post("login", use: sessions.login)
        router.post("refresh", use: sessions.refresh)
        router.authenticated(with: verifier)
            .post("logout", use: sessions.logout)
            .get("api/profile", use: accounts.profile)
            .patch("api/profile", use: accounts.rename)
            .post("api/change-password", use: accounts.changePassword)
            .get("api/sessions", use: sessions.list)
            .delete("api/sessions/{id}", use: sessions.end)
            .delete("api/account", use: accounts.deleteAccount)
            .get("api/totp", use: secondFactors.state)
            .post("api/totp", use: secondFactors.propose)
            .post("api/totp/confirm", use: secondFactors.confirm)
            .delete("api/totp", use: secondFactors.remove)
        if let mails { addMailRoutes(to: router, verifier, issuer, mails) }
        return router
    }

    private func addMailRoutes(
        to router: Router<ServiceContext>, _ verifier: AccessTokenVerifier, _ issuer: TokenIssuer,
        _ doorbell: Doorbell
    ) {
        let mail = MailRoutes(
            database: database, hasher: hasher, issuer: issuer, revoked: revoked, doorbell: doorbell)
        router.post("password-reset", use: mail.requestReset)
        router.post("password-reset/confirm", use: mail.reset)
        router.post("confirm-email", use: mail.confirm)
        router.authenticated(with: verifier).post("api/confirm-email", use: mail.requestConfirmation)
    }
}
