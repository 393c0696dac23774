import Shared
import Testing

@testable import ChatService

@Suite struct UploadAdmissionTests {
    private typealias Load = UploadAdmission.Load
    private static let mebibyte = 1024 * 1024

    private func refusal(_ body: () throws -> UploadAdmission.Ticket) -> ProblemCode? {
        do {
            _ = try body()
            return nil
        } catch { return (error as? Problem)?.code }
    }

    @Test func jobsAreBoundedForOneAndForAll() {
        let rows: [(all: Int, ofUser: Int, code: ProblemCode?)] = [
            (9, 2, nil), (9, 3, .tooManyJobs), (10, 0, .queueFull), (12, 5, .tooManyJobs),
        ]
        for row in rows {
            let admission = UploadAdmission(jobsMax: 10, jobsOfUserMax: 3)
            let code = refusal {
                try admission.enter(userID: 1, bytes: 1, all: Load(jobs: row.all), ofUser: Load(jobs: row.ofUser))
            }
            #expect(code == row.code, "\(row)")
        }
    }

    @Test func bytesAreBoundedForOneAndForAll() {
        let admission = { UploadAdmission(jobsMax: 50, jobsOfUserMax: 30) }
        func code(_ bytes: Int, all: Int, ofUser: Int) -> ProblemCode? {
            refusal {
                try admission().enter(
                    userID: 1, bytes: bytes * Self.mebibyte, all: Load(jobs: 1, bytes: all * Self.mebibyte),
                    ofUser: Load(jobs: 1, bytes: ofUser * Self.mebibyte))
            }
        }
        #expect(code(2, all: 198, ofUser: 118) == nil, "50 jobs stand for 200 MiB, 30 for 120")
        #expect(code(3, all: 198, ofUser: 118) == .tooManyJobs)
        #expect(code(3, all: 198, ofUser: 1) == .queueFull)
        #expect(code(50, all: 151, ofUser: 0) == .queueFull)
        #expect(code(50, all: 1, ofUser: 71) == .tooManyJobs)
    }

    @Test func aFewJobsMayHaveFilesOfAnySize() {
        let admission = UploadAdmission(jobsMax: 2, jobsOfUserMax: 2)
        let request = 50 * Self.mebibyte
        let waiting = Load(jobs: 1, bytes: request)
        #expect(refusal { try admission.enter(userID: 1, bytes: request, all: waiting, ofUser: waiting) } == nil)
    }

    @Test func whatIsBeingTakenInCountsUntilItIsThrough() throws {
        let admission = UploadAdmission(jobsMax: 3, jobsOfUserMax: 2)
        func enter(_ userID: Int) throws -> UploadAdmission.Ticket {
            try admission.enter(userID: userID, bytes: 10, all: Load(), ofUser: Load())
        }
        let first = try enter(1)
        let second = try enter(1)
        #expect(refusal { try enter(1) } == .tooManyJobs)
        let third = try enter(2)
        #expect(refusal { try enter(2) } == .queueFull)
        #expect(refusal { try enter(3) } == .queueFull)
        first.leave()
        let fourth = try enter(1)
        for ticket in [second, third, fourth] { ticket.leave() }
        for _ in 0..<2 { _ = try enter(4) }
    }

    @Test func theRowsSayHowManyBytesWait() async throws {
        try await ChatFixture.with { fixture in
            #expect(try await fixture.database.uploadedBytes(userID: fixture.userID) == (0, 0))
            _ = try await fixture.acceptFile()
            _ = try await fixture.acceptFile()
            _ = try await fixture.accept()
            #expect(try await fixture.database.uploadedBytes(userID: fixture.userID) == (6, 6))
            #expect(try await fixture.database.uploadedBytes(userID: fixture.strangerID) == (6, 0))
            try await fixture.database.query("update chat.jobs set stage = 'answer'")
            #expect(try await fixture.database.uploadedBytes(userID: fixture.userID) == (0, 0))
        }
    }
}
