import Foundation
import Shared
import TestSupport
import Testing

/// A mail that was asked for is sent, whichever process dies.
@Suite("Mails that survive", .serialized)
struct MailCrashTests {
    @Test func aMailWhoseSenderIsKilledIsSentByTheNext() async throws {
        try await withTestDatabase { database, url in
            try await MailServer.run(["hang"]) { hanging in
                try await MailServer.run(["take"]) { taking in
                    let settings = ["SMTP_URL": hanging.url]
                    try await withSuite(replicas: 0, databaseURL: url, settings: settings) { suite in
                        let user = try await suite.register()
                        let first = try await hanging.mails(1)[0]
                        #expect(first.receivers == [user.email])
                        try await suite.auth.process.kill()
                        let next = try await suite.start(.auth, ["SMTP_URL": taking.url])
                        // As if the lease, two minutes, had ended.
                        try await database.query("update auth.mails set lease_until = clock_timestamp()")
                        let second = try await taking.mails(1)[0]
                        #expect(second.receivers == [user.email])
                        let (old, token) = (try first.token, try second.token)
                        #expect(token != old)
                        let confirm: JSON = ["token": .string(token)]
                        #expect(try await next.client.post("/confirm-email", confirm).status == 200)
                        _ = try await polling(for: "the mail to be gone", atMost: .seconds(20)) {
                            try await database.value("select count(*) from auth.mails", Int.self) == 0 ? true : nil
                        }
                    }
                }
            }
        }
    }

    @Test func aServerThatHangsHoldsNeitherRequestsNorTheEndOfTheProcess() async throws {
        try await MailServer.run(["hang"]) { hanging in
            try await withSuite(
                replicas: 0, settings: ["SMTP_URL": hanging.url, "SHUTDOWN_GRACE_SECONDS": "15"]
            ) { suite in
                let user = try await suite.register()
                _ = try await hanging.mails(1)
                let client = try suite.auth.client.with(token: user.token)
                for _ in 0..<20 { #expect(try await client.get("/api/profile").status == 200) }
                for _ in 0..<3 {
                    let reset: JSON = ["email": .string(user.email)]
                    #expect(try await client.post("/password-reset", reset).status == 202)
                }
                #expect(try await suite.auth.process.terminate(atMost: .seconds(30)) == 0)
                // Given back, not held until its lease ends.
                let database = PostgresDatabase(settings: PostgresSettings(url: suite.databaseURL), logger: .quiet)
                let waiting: SQL = "select count(*) from auth.mails where lease_until is null"
                #expect(try await database.value(waiting, Int.self) == 4)
                await database.close()
            }
        }
    }
}
