import Shared
import Testing

@testable import ChatService

/// What dies again and again may be the machine, and not the file.
@Suite("Recognition that is broken off")
struct BrokenOffRecognitionTests {
    @Test func aClaimWithAPageToShowIsNoTry() async throws {
        try await ChatFixture.with { fixture in
            let file = try await fixture.acceptFile()
            var tries: [Int] = []
            for page in [nil, 1, nil, 2] {
                let job = try #require(try await fixture.claim(.recognize, leaseSeconds: 86_400))
                tries.append(job.tries)
                if let page {
                    let isHeld = try await fixture.database.storePage(
                        page, text: "text", ofFile: file.fileID, fence: job.fence)
                    #expect(isHeld)
                }
                try await fixture.expireLeases()
            }
            #expect(tries == [1, 2, 1, 2])
        }
    }

    @Test func itsFileIsKeptSoThatItsUserMayTryAgain() async throws {
        try await ChatFixture.with { fixture in
            let (questionID, _) = try await fixture.acceptFile()
            let job = try #require(try await fixture.claim(.recognize, leaseSeconds: 86_400))
            #expect(try await fixture.database.failJob(job.fence, with: .recognitionBrokenOff))
            #expect(try await fixture.status(of: questionID) == "failed")
            #expect(try await fixture.count("upload_chunks") == 2)
            _ = try await fixture.database.retryMessage(questionID, userID: fixture.userID)
            let again = try #require(try await fixture.claim(.recognize, leaseSeconds: 86_400))
            #expect(again.questionID == questionID && again.tries == 1)
            #expect(try await fixture.database.failJob(again.fence, with: .recognitionCrashed))
            #expect(try await fixture.count("upload_chunks") == 0)
        }
    }
}
