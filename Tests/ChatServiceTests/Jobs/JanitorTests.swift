import Logging
import Shared
import TestSupport
import Testing

@testable import ChatService

@Suite("The janitor")
struct JanitorTests {
    @Test func sweepsAtItsStartAndThenAgainAndAgain() async throws {
        try await ChatFixture.with { fixture in
            try await withSpoolRoot { root in
                let spool = try UploadSpool(root: root)
                let uploads = LocalUploads(spool: spool, logger: .quiet)
                var janitor = Janitor(database: fixture.database, uploads: uploads, logger: .quiet)
                #expect(janitor.interval == .seconds(600))
                janitor.interval = .milliseconds(10)
                try await withThrowingTaskGroup { group in
                    group.addTask { [janitor] in await janitor.run() }
                    for _ in 1...3 { try await expectSwept(fixture) }
                    group.cancelAll()
                }
                await spool.close()
            }
        }
    }

    /// Leaves bytes of a message that was cancelled long ago, and waits until they are gone.
    private func expectSwept(_ fixture: ChatFixture) async throws {
        let (question, file) = try await fixture.acceptFile()
        _ = try await fixture.cancel(question)
        try await fixture.database.query(
            "update chat.messages set created_at = created_at - interval '25 hours' where id = \(question)")
        _ = try await polling(for: "the bytes to be swept away", atMost: .seconds(300)) {
            try await fixture.database.value(
                "select count(*) from chat.upload_chunks where file_id = \(file)", Int.self) == 0 ? true : nil
        }
    }
}
