import Synchronization
import Testing

@testable import ChatService

@Suite("The deadline of a page")
struct PageDeadlineTests {
    /// A clock and a starvation that stand still until they are moved.
    private final class Machine: Sendable {
        private let state = Mutex((now: ContinuousClock.now, starved: Duration.seconds(7)))

        func pass(_ time: Duration, starving: Duration = .zero) {
            state.withLock { $0 = ($0.now + time, $0.starved + starving) }
        }

        func deadline(seconds: Int) -> PageDeadline {
            PageDeadline(seconds: seconds, now: { self.state.withLock { $0.now } }) {
                self.state.withLock { $0.starved }
            }
        }
    }

    private let machine = Machine()

    @Test func aChildThatRunsOrSleepsIsLateAfterTheAllowance() {
        let deadline = machine.deadline(seconds: 60)
        machine.pass(.seconds(59))
        #expect(deadline.remaining == .seconds(1))
        machine.pass(.seconds(1))
        #expect(deadline.remaining <= .zero)
    }

    @Test func timeInWhichOthersHadTheProcessorDoesNotCount() {
        let deadline = machine.deadline(seconds: 60)
        machine.pass(.seconds(100), starving: .seconds(50))
        #expect(deadline.remaining == .seconds(10))
    }

    @Test func noMachineIsSoBusyThatAPageTakesForEver() {
        let deadline = machine.deadline(seconds: 60)
        machine.pass(.seconds(240), starving: .seconds(239))
        #expect(deadline.remaining <= .zero)
    }

    @Test func theStarvationOfAChildThatIsGoneDoesNotShortenTheTime() {
        let deadline = machine.deadline(seconds: 60)
        machine.pass(.seconds(10), starving: .seconds(-7))
        #expect(deadline.remaining == .seconds(50))
    }
}
