import Shared
import Testing

@testable import ChatService

@Suite struct AdmissionTests {
    @Test func oneUsersFloodIs429AndEverybodys503() throws {
        let admission = Admission(allMax: 2, ofUserMax: 1)
        let first = try admission.enter(userID: 1)
        #expect { try admission.enter(userID: 1) } throws: { ($0 as? Problem)?.code == .tooManyJobs }
        let second = try admission.enter(userID: 2)
        #expect { try admission.enter(userID: 3) } throws: { ($0 as? Problem)?.code == .queueFull }
        first.leave()
        try admission.enter(userID: 1).leave()
        second.leave()
    }

    @Test func theSharedQueueHasTheSameBounds() throws {
        let admission = Admission(allMax: 10, ofUserMax: 3)
        try admission.check(waiting: (all: 9, ofUser: 2))
        #expect { try admission.check(waiting: (all: 9, ofUser: 3)) } throws: {
            ($0 as? Problem)?.code == .tooManyJobs
        }
        #expect { try admission.check(waiting: (all: 10, ofUser: 0)) } throws: {
            ($0 as? Problem)?.code == .queueFull
        }
    }
}
