import Shared
import Testing

@testable import ChatService

@Suite struct RecognitionQueriesTests {
    @Test func pagesAreKeptAndCountedAsTheyAreDone() async throws {
        try await ChatFixture.with { fixture in
            let (questionID, fileID) = try await fixture.acceptFile()
            let job = try #require(try await fixture.claim(.recognize))
            let database = fixture.database
            #expect(try await database.setPagesTotal(3, ofFile: fileID, fence: job.fence))
            #expect(try await database.storePage(1, text: "one", ofFile: fileID, fence: job.fence))
            #expect(try await database.storePage(2, text: nil, ofFile: fileID, fence: job.fence))
            // Repeated after an unknown outcome: nothing is counted twice.
            #expect(try await database.storePage(2, text: nil, ofFile: fileID, fence: job.fence))
            let pages = try await database.pages(ofMessage: questionID)
            #expect(pages.map(\.text) == ["one", nil])
            let row = try await database.read("select pages_done, pages_total, partial from chat.files")[0]
            #expect(try row.decode(Int.self, Int.self, Bool.self) == (2, 3, true))
        }
    }

    @Test func theTextReplacesBytesAndPagesAndFreesTheJobForAnswering() async throws {
        try await ChatFixture.with { fixture in
            let (questionID, fileID) = try await fixture.acceptFile()
            let job = try #require(try await fixture.claim(.recognize))
            _ = try await fixture.database.storePage(1, text: "one", ofFile: fileID, fence: job.fence)
            #expect(try await fixture.database.storeRecognizedText("Look\n\none", fence: job.fence))
            #expect(try await fixture.database.messageContent(questionID) == "Look\n\none")
            #expect(try await fixture.count("upload_chunks") == 0)
            #expect(try await fixture.count("pages") == 0)
            let next = try #require(try await fixture.claim(.answer))
            #expect(next.fence.jobID == job.fence.jobID)
            #expect(next.tries == 1)
        }
    }

    @Test func aStaleHolderMayCheckpointNothing() async throws {
        try await ChatFixture.with { fixture in
            let (questionID, fileID) = try await fixture.acceptFile()
            let stale = try #require(try await fixture.claim(.recognize)).fence
            try await fixture.expireLeases()
            _ = try #require(try await fixture.claim(.recognize))
            let database = fixture.database
            #expect(try await database.setPagesTotal(9, ofFile: fileID, fence: stale) == false)
            #expect(try await database.storePage(1, text: "late", ofFile: fileID, fence: stale) == false)
            #expect(try await database.countCrash(ofFile: fileID, fence: stale) == nil)
            #expect(try await database.storeRecognizedText("late", fence: stale) == false)
            #expect(try await database.messageContent(questionID) == "Look")
            #expect(try await database.pages(ofMessage: questionID).isEmpty)
        }
    }

    @Test func crashesAreCountedOnTheFileAcrossHolders() async throws {
        try await ChatFixture.with { fixture in
            let (questionID, fileID) = try await fixture.acceptFile()
            for expected in 1...3 {
                let job = try #require(try await fixture.claim(.recognize))
                #expect(try await fixture.database.countCrash(ofFile: fileID, fence: job.fence) == expected)
                try await fixture.database.releaseJob(job.fence, after: .zero, isSpared: false)
            }
            #expect(try await fixture.database.files(ofMessage: questionID).first?.crashes == 3)
        }
    }

    @Test func chunksAreReadInOrderUntilThereIsNone() async throws {
        try await ChatFixture.with { fixture in
            let (_, fileID) = try await fixture.acceptFile()
            #expect(try await fixture.database.uploadChunk(fileID: fileID, number: 0) == [1, 2])
            #expect(try await fixture.database.uploadChunk(fileID: fileID, number: 1) == [3])
            #expect(try await fixture.database.uploadChunk(fileID: fileID, number: 2) == nil)
            #expect(try await fixture.database.filesStillUploaded(among: [fileID, fileID + 1]) == [fileID])
        }
    }

    @Test func theJanitorDropsTheBytesOfOldCancelledUploadsAndNothingElse() async throws {
        try await ChatFixture.with { fixture in
            let (old, _) = try await fixture.acceptFile()
            let (young, youngFile) = try await fixture.acceptFile()
            let (_, waitingFile) = try await fixture.acceptFile()
            for id in [old, young] { _ = try await fixture.cancel(id) }
            try await fixture.database.query(
                "update chat.messages set created_at = created_at - interval '25 hours' where id <> \(young)")
            #expect(try await fixture.database.deleteAbandonedChunks(olderThanHours: 24) == 2)
            let left = try await fixture.database.read("select distinct file_id from chat.upload_chunks order by 1")
            let leftFiles = try left.map { row -> Int in try row.decode(Int.self) }
            #expect(leftFiles == [youngFile, waitingFile])
            let outcome = try await fixture.database.retryMessage(old, userID: fixture.userID)
            guard case .refused = outcome else {
                Issue.record("an upload without bytes was taken up again")
                return
            }
        }
    }
}
