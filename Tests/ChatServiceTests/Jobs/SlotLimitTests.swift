import Testing

@testable import ChatService

@Suite struct SlotLimitTests {
    @Test func freeSlotsAreTakenWithoutWaitingUpToTheBound() async throws {
        let slots = SlotLimit(slots: 3)
        #expect(slots.takeFree(atMost: 2) == 2)
        try await slots.take()
        #expect(slots.takeFree(atMost: 2) == 0)
        slots.give()
        #expect(slots.free == 1)
    }

    @Test func aWaitingCallerGetsTheSlotThatIsGivenBack() async throws {
        let slots = SlotLimit(slots: 1)
        try await slots.take()
        let waiting = Task { try await slots.take() }
        slots.give()
        try await waiting.value
        #expect(slots.free == 0)
    }

    @Test func aCancelledCallerLeavesTheQueueAndLosesNoSlot() async throws {
        let slots = SlotLimit(slots: 1)
        try await slots.take()
        let waiting = Task { try await slots.take() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        slots.give()
        #expect(slots.free == 1)
    }

    @Test func manyCallersNeverHoldMoreThanTheSlots() async throws {
        let slots = SlotLimit(slots: 4)
        let busy = Admission(allMax: 4, ofUserMax: 4)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await slots.take()
                    defer { slots.give() }
                    let ticket = try busy.enter(userID: 1)
                    await Task.yield()
                    ticket.leave()
                }
            }
            try await group.waitForAll()
        }
        #expect(slots.free == 4)
    }
}
