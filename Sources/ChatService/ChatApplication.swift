import Foundation
import Hummingbird
import Logging
import ServiceLifecycle
import Shared

/// ChatService put together: its resources, its route table, and what runs beside the server.
struct ChatApplication: Sendable {
    let frame: HTTPFrame
    let database: PostgresDatabase
    let pool: JobPool
    private let sessions: RevokedSessionsFeed
    private let schema = SchemaGate()
    private let verifier: AccessTokenVerifier
    /// Nil: the offline model answers.
    private let remoteModel: OpenAIModel?
    private let uploads: LocalUploads
    private let conversations: ConversationRoutes
    private let messages: MessageRoutes
    private let questions: QuestionRoutes
    private let files: UploadRoutes
    private let domains: DomainRoutes
    private let hub: EventHub
    private let events: EventRoutes

    /// Makes everything and opens nothing but the upload directory.
    ///
    /// - Throws: when the upload directory cannot be used.
    init(_ settings: ChatSettings, logger: Logger) throws {
        var postgres = PostgresSettings(url: settings.database.url.value)
        postgres.connections = settings.database.connections
        postgres.applicationName = "parley-chat"
        let database = PostgresDatabase(settings: postgres, logger: logger)
        self.database = database
        let domains = settings.domains
        let spool = try UploadSpool(root: settings.uploadDirectory)
        let revoked = RevokedSessions()
        // Before the HTTP client, whose thread also starts libcrypto: the first key must do that (see `HMACKey`).
        verifier = AccessTokenVerifier(reader: AccessTokenReader(keys: settings.tokens.keys), revoked: revoked)
        let gate = ModelGate(logger: logger)
        remoteModel = OpenAIModelSettings(settings.model).map { OpenAIModel(settings: $0, gate: gate, logger: logger) }
        let model: any LanguageModel = remoteModel ?? OfflineModel()
        uploads = LocalUploads(spool: spool, logger: logger)
        frame = HTTPFrame(
            name: "ChatService", settings: settings.http, log: settings.log,
            checks: [.database(database), .migrations(database, logger: logger)],
            openAPI: PackageResources.openapi_json)
        hub = EventHub(database: database, revoked: revoked, drain: frame.drain, logger: logger)
        events = EventRoutes(database: database, hub: hub)
        pool = JobPool(
            settings: JobPool.Settings(
                recognizingSlots: settings.recognizers, answeringSlots: settings.model.concurrency,
                waitingMax: settings.queueJobsMax, leaseSeconds: settings.leaseSeconds,
                shutdownGraceSeconds: settings.http.shutdownGraceSeconds),
            database: database,
            answering: Answering(
                database: database, model: model,
                prompts: PromptBuilder(domains: domains, historyTokens: settings.historyTokens), events: hub,
                deltas: DeltaWriter(database: database, events: hub, logger: logger), logger: logger),
            gate: gate, uploads: uploads, drain: frame.drain, logger: logger,
            makeRecognizer: { RecognizerProcess(settings: settings.recognition, logger: logger) })

        sessions = RevokedSessionsFeed(database: database, sessions: revoked, logger: logger)

        let admission = Admission(allMax: settings.queueJobsMax, ofUserMax: settings.queueJobsPerUser)
        let fields = QuestionFields(domains: domains)
        let keys = IdempotentAnswer(database: database)
        conversations = ConversationRoutes(database: database, keys: keys, events: hub)
        messages = MessageRoutes(database: database, pool: pool, admission: admission)
        files = UploadRoutes(
            database: database, pool: pool, admission: admission,
            room: UploadAdmission(jobsMax: settings.queueJobsMax, jobsOfUserMax: settings.queueJobsPerUser),
            fields: fields, keys: keys, reader: UploadReader(spool: spool),
            store: UploadStore(database: database, spool: spool, connections: postgres.leased), uploads: uploads)
        questions = QuestionRoutes(
            database: database, pool: pool, admission: admission, fields: fields, keys: keys, uploads: files)
        self.domains = DomainRoutes(domains: domains)
    }

    /// Every path of the service.
    func router() -> Router<ServiceContext> {
        let router = frame.makeRouter()
        let user = router.authenticated(with: verifier)
        user.post("conversations", use: conversations.create)
        user.get("conversations", use: conversations.list)
        user.get("conversations/{id}", use: conversations.get)
        user.patch("conversations/{id}", use: conversations.update)
        user.delete("conversations/{id}", use: conversations.delete)
        user.get("conversations/{id}/messages", use: messages.list)
        user.get("conversations/{id}/events", use: events.stream)
        user.get("messages/{id}", use: messages.get)
        user.post("messages/{id}/cancel", use: messages.cancel)
        user.post("messages/{id}/retry", use: messages.retry)
        user.post("messages/{id}/regenerate", use: messages.regenerate)
        user.post("chat", use: questions.ask)
        user.post("chat/file", use: files.upload)
        user.get("search", use: SearchRoutes(database: database).search)
        user.get("domains", use: domains.list)
        return router
    }

    /// In the order of their need: they are stopped in the reverse one, so what the pool uses outlives it.
    private var services: [any Service] {
        let remote = remoteModel.map { [$0 as any Service] } ?? []
        return [
            database, PostgresGauges(database: database), schema.behind(sessions), schema.behind(hub),
            schema.behind(SearchIndexer(database: database, logger: frame.logger)),
        ] + remote + [schema.behind(pool)]
    }

    /// Migrates, serves and works until SIGTERM or SIGINT.
    func run() async throws {
        let application = frame.application(
            router(), services: services,
            beforeServing: {
                try await Migrator().migrate(database, logger: frame.logger)
                try await sessions.load()
                schema.open()
            })
        try await frame.run(application)
    }
}
