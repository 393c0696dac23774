import Foundation
import Shared
import TestSupport
import Testing

/// `deploy/roles.sql`: both services do all that they do under roles that may do nothing else.
@Suite("Roles", .serialized)
struct RolesTests {
    private static let password = "a password of a role in the tests"

    /// A database with the roles, as its superuser; and the addresses of the three roles.
    private struct Roles: Sendable {
        let admin: PostgresDatabase
        let owner: String
        let auth: String
        let chat: String

        func runScript() async throws {
            let file = ProjectFolder.root.appending(path: "deploy/roles.sql")
            try await admin.query("\(unsafeRaw: String(contentsOf: file, encoding: .utf8))")
        }

        func migrate(as url: String) async throws {
            let database = PostgresDatabase(settings: PostgresSettings(url: url), logger: .quiet)
            let result: Result<Void, any Error>
            do { result = .success(try await Migrator().migrate(database, logger: .quiet)) } catch {
                result = .failure(error)
            }
            await database.close()
            try result.get()
        }

        /// What the server says to a statement of a role: nil when it is allowed, else the SQLSTATE.
        func refusal(_ statement: String, as url: String) async throws -> String? {
            let database = PostgresDatabase(settings: PostgresSettings(url: url), logger: .quiet)
            var state: String?
            do {
                try await database.query("\(unsafeRaw: statement)")
            } catch let error as PostgresError {
                state = error.sqlState ?? "no answer: \(error)"
            }
            await database.close()
            return state
        }
    }

    private func withRoles(migrated: Bool = true, _ body: @Sendable (Roles) async throws -> Void) async throws {
        try await withTestDatabase { admin, url in
            let address = { (role: String) in
                var parts = try URLComponents(string: url).orThrow("URL")
                (parts.user, parts.password) = (role, Self.password)
                return try parts.string.orThrow("URL")
            }
            let roles = Roles(
                admin: admin, owner: try address("parley_owner"), auth: try address("auth_service"),
                chat: try address("chat_service"))
            try await roles.runScript()
            for role in ["parley_owner", "auth_service", "chat_service"] {
                try await admin.query("alter role \(unsafeRaw: role) password '\(unsafeRaw: Self.password)'")
            }
            if migrated {
                try await roles.migrate(as: roles.owner)
                try await roles.runScript()
            }
            try await body(roles)
        }
    }

    @Test func bothServicesDoEverythingUnderTheirRoles() async throws {
        try await withRoles { (roles: Roles) async throws in
            try await withSuite(replicas: 0, databaseURL: roles.auth) { suite in
                let auth = try suite.auth.client
                let chat = try await suite.start(.chat, ["DATABASE_URL": roles.chat])
                let user = try await suite.register()
                try await everythingOfAuth(auth, user)
                let client = chat.client.with(token: user.token)
                try await everythingOfChat(client)

                let other = try await suite.register("Bob")
                #expect(try await chat.client.with(token: other.token).post("/conversations").status == 201)
                #expect(try await auth.with(token: other.token).post("/logout").status == 204)
                _ = try await polling(for: "the revocation to be known", atMost: .seconds(10)) {
                    try await chat.client.with(token: other.token).get("/conversations").status == 401 ? true : nil
                }

                // A job that waits: what stops it runs as the owner, not as the role that deletes.
                try await roles.admin.query(
                    """
                    insert into chat.jobs (
                        subject_id, question_id, answer_id, conversation_id, user_id, stage, run_after)
                    select m.id, m.id, nextval('chat.messages_id_seq'), c.id, c.user_id, 'answer', 'infinity'
                    from chat.messages m join chat.conversations c on c.id = m.conversation_id
                    where m.role = 'user' and c.user_id = \(user.id) limit 1
                    """)
                #expect(try await roles.admin.value("select count(*) from chat.jobs", Int.self) == 1)
                let password: JSON = ["password": .string(SignedInUser.password)]
                let deleted = try await auth.with(token: user.token).send(.DELETE, "/api/account", json: password)
                #expect(deleted.status == 204, "\(deleted)")
                let left = "select count(*) from chat.conversations where user_id = \(user.id)"
                #expect(try await roles.admin.value("\(unsafeRaw: left)", Int.self) == 0)
                for table in ["messages", "jobs"] {
                    let count = try await roles.admin.value("select count(*) from chat.\(unsafeRaw: table)", Int.self)
                    #expect(count == 0, "\(table)")
                }
                for log in [try suite.auth.process.log.text, chat.process.log.text] {
                    #expect(!log.contains("42501") && !log.contains("permission denied"), "\(log.suffix(2000))")
                }
            }
        }
    }

    private func everythingOfAuth(_ auth: ServiceClient, _ user: SignedInUser) async throws {
        let mine = auth.with(token: user.token)
        let login: JSON = ["email": .string(user.email), "password": .string(SignedInUser.password)]
        let second = try await auth.post("/login", login)
        #expect(second.status == 200, "\(second)")
        let wrong: JSON = ["email": .string(user.email), "password": "not this one"]
        for _ in 0..<2 { #expect(try await auth.post("/login", wrong).status == 401) }
        let refresh: JSON = ["refresh_token": second.json["refresh_token"]]
        #expect(try await auth.post("/refresh", refresh).status == 200)
        #expect(try await mine.send(.PATCH, "/api/profile", json: ["name": "Anna"]).status == 200)
        let change: JSON = [
            "old_password": .string(SignedInUser.password), "new_password": .string(SignedInUser.password + "!"),
        ]
        #expect(try await mine.post("/api/change-password", change).status == 200)
        let back: JSON = [
            "old_password": .string(SignedInUser.password + "!"), "new_password": .string(SignedInUser.password),
        ]
        #expect(try await mine.post("/api/change-password", back).status == 200)
        #expect(try await mine.get("/api/sessions").status == 200)
        let proposed = try await mine.post("/api/totp", ["password": .string(SignedInUser.password)])
        let secret = try proposed.json["secret"].string.orThrow("secret in \(proposed)")
        let confirmed = try await mine.post("/api/totp/confirm", ["totp": .string(ProblemTests.code(of: secret))])
        #expect(confirmed.status == 200, "\(confirmed)")
        let code = confirmed.json["recovery_codes"][0]
        #expect(try await mine.send(.DELETE, "/api/totp", json: ["totp": code]).status == 204)
    }

    private func everythingOfChat(_ client: ServiceClient) async throws {
        let made = try await client.post("/conversations", headers: ["Idempotency-Key": "one"])
        let id = try made.json["conversation_id"].int.orThrow("conversation in \(made)")
        let question: JSON = ["conversation_id": .number(Double(id)), "message": "What is a contract?"]
        let answer = try await client.post("/chat", question, headers: ["Idempotency-Key": "two"])
        #expect(answer.status == 200, "\(answer)")
        let reply = try answer.json["message_id"].int.orThrow("message_id")
        #expect(try await client.post("/messages/\(reply)/regenerate").status == 202)
        var form = MultipartForm(fields: [("conversation_id", "\(id)")])
        form.add(file: "letter.png", bytes: try Fixture("documents/letter_en_clean.png").bytes)
        let accepted = try await client.post("/chat/file", form)
        let file = try accepted.json["message_id"].int.orThrow("message_id in \(accepted)")
        let final = try await polling(for: "the file to be read", atMost: .seconds(300)) {
            let message = try await client.get("/messages/\(file)").json
            return message["status"] == "processing" ? nil : message
        }
        #expect(final["status"] == "completed", "\(final)")
        for path in ["/conversations", "/conversations/\(id)/messages", "/search?q=contract", "/domains"] {
            #expect(try await client.get(path).status < 500, "\(path)")
        }
        let second = try await client.post("/conversations").json["conversation_id"].int.orThrow("conversation")
        #expect(try await client.send(.DELETE, "/conversations/\(second)").status == 204)
    }

    @Test func aRoleMayDoNothingThatIsNotItsOwn() async throws {
        try await withRoles { (roles: Roles) async throws in
            let forChat = [
                "select password_hash from auth.users", "select 1 from auth.users", "select 1 from auth.sessions",
                "select 1 from auth.audit", "select 1 from auth.second_factors", "select 1 from auth.mail_tokens",
                "select 1 from auth.login_attempts",
                "insert into auth.revoked_sessions values (gen_random_uuid(), now())",
                "delete from auth.revoked_sessions", "update auth.users set name = 'x'", "delete from auth.users",
                "create table chat.own (n int)", "create table auth.own (n int)", "drop table chat.messages",
                "truncate chat.messages", "alter table chat.messages add column n int", "create schema own",
                "create temporary table own (n int)", "delete from parley.migrations",
            ]
            for statement in forChat {
                #expect(try await roles.refusal(statement, as: roles.chat) == "42501", "\(statement)")
            }
            let forAuth = [
                "select 1 from chat.messages", "delete from chat.conversations",
                "update auth.audit set event = 'refreshed'",
                "delete from auth.audit", "truncate auth.audit", "select 1 from auth.audit", "drop table auth.audit",
                "alter table auth.audit disable trigger all",
                "insert into auth.revoked_sessions values (gen_random_uuid(), now())",
                "truncate auth.users", "create table auth.own (n int)", "delete from parley.migrations",
                "alter function auth.revoke_ended_session() owner to auth_service",
            ]
            for statement in forAuth {
                #expect(try await roles.refusal(statement, as: roles.auth) == "42501", "\(statement)")
            }
            #expect(try await roles.refusal("select sid from auth.revoked_sessions", as: roles.chat) == nil)
            #expect(try await roles.refusal("select 1 from parley.migrations", as: roles.chat) == nil)
        }
    }

    @Test func tablesOfLaterMigrationsAreCovered() async throws {
        try await withRoles { (roles: Roles) async throws in
            for schema in ["auth", "chat"] {
                let table = "create table \(schema).later (id bigint generated always as identity, n int)"
                #expect(try await roles.refusal(table, as: roles.owner) == nil)
            }
            #expect(try await roles.refusal("insert into chat.later (n) values (1)", as: roles.chat) == nil)
            #expect(try await roles.refusal("delete from chat.later", as: roles.chat) == nil)
            #expect(try await roles.refusal("insert into auth.later (n) values (1)", as: roles.auth) == nil)
            #expect(try await roles.refusal("select 1 from auth.later", as: roles.chat) == "42501")
            #expect(try await roles.refusal("select 1 from chat.later", as: roles.auth) == "42501")
        }
    }

    @Test func aServiceThatMayNotMigrateSaysWhatIsMissingAndTheOwnerMigratesWithTheProgram() async throws {
        try await withRoles(migrated: false) { roles in
            for (program, url) in [("AuthService", roles.auth), ("ChatService", roles.chat)] {
                let process = try await start(program, [], url)
                #expect(try await process.waitForExit(atMost: .seconds(30)) == 1)
                for await _ in process.log.lines {}
                let log = process.log.text
                #expect(log.contains("1 auth, 2 chat") && log.contains("AuthService migrate"), "\(log)")
            }
            let migration = try await start("AuthService", ["migrate"], roles.owner)
            #expect(try await migration.waitForExit(atMost: .seconds(60)) == 0, "\(migration.log.text)")
            try await roles.runScript()
            try await withSuite(replicas: 0, databaseURL: roles.auth) { suite in
                let first = try await suite.register()
                #expect(first.id == 1)
            }
        }
    }

    private func start(_ program: String, _ arguments: [String], _ url: String) async throws -> SpawnedProcess {
        try await SpawnedProcess.start(
            ProjectFolder.binaries.appending(path: program), arguments, name: program,
            environment: ["DATABASE_URL": url, "JWT_SECRET": "Rz3vQ9xLw7KfT2mB8nYc5HdJ6pGs4aEu", "PORT": "0"],
            directory: FileManager.default.temporaryDirectory)
    }
}
