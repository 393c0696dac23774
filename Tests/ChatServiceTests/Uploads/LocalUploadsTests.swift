import NIOCore
import Shared
import TestSupport
import Testing

@testable import ChatService

@Suite("Uploads on this disk")
struct LocalUploadsTests {
    /// A slot claims the job as soon as it is committed, and finds nothing here yet.
    @Test(.timeLimit(.minutes(5)))
    func anUploadThatIsKeptWhileASlotMakesACopyIsTheOneThatStays() async throws {
        try await ChatFixture.with { fixture in
            let (_, fileID) = try await fixture.acceptFile()
            try await withSpoolRoot { root in
                let spool = try UploadSpool(root: root)
                let uploads = LocalUploads(spool: spool, logger: .quiet)
                var upload = try await spool.create()
                try await upload.append(ByteBuffer(string: "the upload"))
                let path = try await upload.finish().path

                try await fixture.database.holding({
                    try await $0.query("lock table chat.upload_chunks in access exclusive mode")
                }) { release in
                    async let copied = uploads.path(ofFile: fileID, rebuildingFrom: fixture.database)
                    try await fixture.database.waitForALock()
                    await uploads.keep([(fileID, path)])
                    release()
                    #expect(try await copied == path)
                }
                #expect(spool.usage.files == 1)
                await uploads.discard([fileID])
                #expect(spool.usage.files == 0)
                await spool.close()
            }
        }
    }
}
