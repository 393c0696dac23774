import Foundation
import Shared
import Testing

@testable import ChatService

/// The fence: every write of a holder whose job was taken over changes nothing, and says so.
@Suite("A stale holder")
struct StaleHolderTests {
    /// Every write that a holder can make.
    enum Write: CaseIterable {
        case complete, fail, release, releaseAtACost, heartbeat, progress, pagesTotal, page, unreadPage, crash, text
    }

    @Test(arguments: Write.allCases)
    func mayNotWrite(_ write: Write) async throws {
        try await ChatFixture.with { fixture in
            let (questionID, fileID) = try await fixture.acceptFile()
            let stale = try #require(try await fixture.claim(.recognize)).fence
            try await fixture.expireLeases()
            let holder = try #require(try await fixture.claim(.recognize))
            let before = try await state(of: fixture)
            #expect(try await isHeld(stale, write, fileID, fixture) == false)
            #expect(try await state(of: fixture) == before)
            // The holder may do the same.
            #expect(try await isHeld(holder.fence, write, fileID, fixture))
            #expect(try await state(of: fixture) != before)
            #expect(try await fixture.status(of: questionID) != nil)
        }
    }

    @Test(arguments: Write.allCases)
    func mayNotWriteAfterACancel(_ write: Write) async throws {
        try await ChatFixture.with { fixture in
            let (questionID, fileID) = try await fixture.acceptFile()
            let stale = try #require(try await fixture.claim(.recognize)).fence
            _ = try await fixture.cancel(questionID)
            let before = try await state(of: fixture)
            #expect(try await isHeld(stale, write, fileID, fixture) == false)
            #expect(try await state(of: fixture) == before)
            // Taken up again it is another job, whatever its first claim is counted.
            _ = try await fixture.database.retryMessage(questionID, userID: fixture.userID)
            let again = try #require(try await fixture.claim(.recognize))
            #expect(again.fence.attempt == stale.attempt)
            #expect(try await isHeld(stale, write, fileID, fixture) == false)
        }
    }

    /// Cancelling takes the row: of two cancels, and of a cancel and an answer, one has an effect.
    @Test func mayNotBeCancelledTwiceNorAfterItsEnd() async throws {
        try await ChatFixture.with { fixture in
            let job = try await fixture.accept().job
            guard case .done = try await fixture.cancel(job.questionID),
                case .refused = try await fixture.cancel(job.questionID)
            else {
                Issue.record("cancelled twice, or not at all")
                return
            }
            #expect(try await fixture.database.completeJob(job.fence, answer: "late", usage: nil) == false)
            let other = try await fixture.accept().job
            #expect(try await fixture.database.completeJob(other.fence, answer: "in time", usage: nil))
            guard case .refused = try await fixture.cancel(other.questionID)
            else {
                Issue.record("an answered question was cancelled")
                return
            }
            #expect(try await fixture.status(of: other.questionID) == "completed")
        }
    }

    private func isHeld(
        _ fence: JobFence, _ write: Write, _ fileID: Int, _ fixture: ChatFixture
    ) async throws -> Bool {
        let database = fixture.database
        return switch write {
        case .complete: try await database.completeJob(fence, answer: "late", usage: nil)
        case .fail: try await database.failJob(fence, with: .modelAway)
        case .release: try await database.releaseJob(fence, after: .zero, isSpared: true)
        case .releaseAtACost: try await database.releaseJob(fence, after: .seconds(5), isSpared: false)
        case .heartbeat: try await !database.renewLeases(of: [fence], leaseSeconds: 3600).isEmpty
        case .progress: try await database.noteProgress(fence)
        case .pagesTotal: try await database.setPagesTotal(9, ofFile: fileID, fence: fence)
        case .page: try await database.storePage(1, text: "late", ofFile: fileID, fence: fence)
        case .unreadPage: try await database.storePage(1, text: nil, ofFile: fileID, fence: fence)
        case .crash: try await database.countCrash(ofFile: fileID, fence: fence) != nil
        case .text: try await database.storeRecognizedText("late", fence: fence)
        }
    }

    /// Every row that work can change, as one text.
    private func state(of fixture: ChatFixture) async throws -> String {
        let tables = ["messages", "jobs", "files", "pages", "upload_chunks", "conversations"]
        var states: [String] = []
        for table in tables {
            states.append(
                try await fixture.database.read(
                    "select coalesce(string_agg(t::text, '; ' order by t::text), '') from chat.\(unsafeRaw: table) t")[
                        0
                    ].decode(String.self))
        }
        return states.joined(separator: "\n")
    }
}
