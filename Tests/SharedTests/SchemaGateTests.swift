import ServiceLifecycle
import Shared
import Synchronization
import TestSupport
import Testing

/// A service that notes that it began, and ends.
private final class Noting: Service {
    private let begun = Atomic<Bool>(false)
    var hasBegun: Bool { begun.load(ordering: .acquiring) }

    func run() async { begun.store(true, ordering: .releasing) }
}

@Suite("Services behind the schema")
struct SchemaGateTests {
    @Test func aServiceBeginsWhenTheGateOpensAndNotBefore() async throws {
        let gate = SchemaGate()
        let (service, late) = (Noting(), Noting())
        let waiting = gate.behind(service)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await waiting.run() }
            for _ in 0..<1000 { await Task.yield() }
            #expect(!service.hasBegun)
            gate.open()
            try await group.waitForAll()
        }
        #expect(service.hasBegun)
        try await gate.behind(late).run()
        #expect(late.hasBegun)
    }

    @Test func aServiceThatIsStoppedBeforeItBeganStillPutsAway() async throws {
        let service = Noting()
        let waiting = SchemaGate().behind(service)
        let group = Task { try await waiting.run() }
        group.cancel()
        try await group.value
        #expect(service.hasBegun)
    }
}
