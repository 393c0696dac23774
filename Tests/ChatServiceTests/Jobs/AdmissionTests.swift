import Shared
import Testing

@testable import ChatService

@Suite struct AdmissionTests {
    @Test func oneUsersFloodIs429AndEverybodys503() async throws {
        let admission = Admission(allMax: 2, ofUserMax: 1)
        try await admission.admit(userID: 1) {
            await #expect { try await admission.admit(userID: 1) {} } throws: {
                ($0 as? Problem)?.code == .tooManyJobs
            }
            try await admission.admit(userID: 2) {
                await #expect { try await admission.admit(userID: 3) {} } throws: {
                    ($0 as? Problem)?.code == .queueFull
                }
            }
        }
        try await admission.admit(userID: 1) {}
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
