import Testing

@testable import ChatService

@Suite("What a reader is told of an answer on its way")
struct DraftLedgerTests {
    private let text = "Да, «договор» 👍🏽 is fine.\r\nSigned."

    /// The client's rule: a delta replaces everything from its offset on.
    private struct Screen {
        var units: [UInt16] = []
        mutating func show(_ deltas: [ToldDelta]) {
            for delta in deltas {
                units.removeSubrange(min(delta.offset, units.count)...)
                units += Array(delta.text.utf16)
            }
        }
        var text: String { String(decoding: units, as: UTF16.self) }
    }

    /// The text cut into rows after every `size` scalars.
    private func rows(_ text: String, every size: Int, attempt: Int = 1, message: Int = 9) -> [DeltaRow] {
        var rows: [DeltaRow] = []
        var position = 0
        let scalars = Array(text.unicodeScalars)
        for start in stride(from: 0, to: scalars.count, by: size) {
            var piece = String.UnicodeScalarView()
            piece.append(contentsOf: scalars[start..<min(start + size, scalars.count)])
            let row = DeltaRow(
                messageID: message, attempt: attempt, position: position, questionID: 8, text: String(piece))
            rows.append(row)
            position += row.text.utf16.count
        }
        return rows
    }

    private func rows(_ rows: [DeltaRow], from positions: [DeltaPosition]) -> [DeltaRow] {
        rows.filter { row in
            guard let position = positions.first(where: { $0.messageID == row.messageID }) else { return true }
            return (row.attempt, row.position) >= (position.attempt, position.position)
        }
    }

    /// Reads until nothing is behind, as the stream does.
    private func read(_ stored: [DeltaRow], _ ledger: inout DraftLedger, _ screen: inout Screen) {
        repeat {
            screen.show(ledger.take(rows(stored, from: ledger.positions), isWhole: true))
        } while ledger.mustReadAgain
    }

    @Test(arguments: [1, 2, 3, 7, 100])
    func rowsAreToldOnceAndInOrder(size: Int) {
        var (ledger, screen) = (DraftLedger(), Screen())
        let all = rows(text, every: size)
        for count in 0...all.count { read(Array(all.prefix(count)), &ledger, &screen) }
        #expect(Array(screen.text.utf8) == Array(text.utf8))
        let more = ledger.take(rows(all, from: ledger.positions), isWhole: true)
        #expect(more == [])
    }

    @Test(arguments: [1, 2, 5])
    func aReaderThatReconnectsAfterEachRowHearsEverythingOnce(size: Int) throws {
        var screen = Screen()
        var told: [EventCursor.Draft] = []
        var heard = 0
        let all = rows(text, every: size)
        for count in 1...all.count {
            var ledger = DraftLedger(try EventCursor(EventCursor(change: 1, drafts: told).text).drafts)
            let before = screen.units.count
            read(Array(all.prefix(count)), &ledger, &screen)
            heard += screen.units.count - before
            told = ledger.told
        }
        #expect(Array(screen.text.utf8) == Array(text.utf8))
        #expect(heard == text.utf16.count)
    }

    @Test func anotherAttemptWithAnotherTextBeginsAnew() {
        var (ledger, screen) = (DraftLedger(), Screen())
        read(rows("The first one was killed", every: 5), &ledger, &screen)
        read(rows("The second", every: 4, attempt: 2), &ledger, &screen)
        #expect(screen.text == "The second")
    }

    @Test(arguments: ["The second", "The second one has a much longer text than the first"])
    func anotherAttemptIsNoticedAfterAReconnection(second: String) {
        var (ledger, screen) = (DraftLedger(), Screen())
        read(rows("The first one was killed", every: 5), &ledger, &screen)
        var resumed = DraftLedger(ledger.told)
        read(rows("The first one was killed", every: 5) + rows(second, every: 6, attempt: 2), &resumed, &screen)
        #expect(screen.text == second)
    }

    @Test func anotherAttemptWithTheSameTextGoesOn() {
        var (ledger, screen) = (DraftLedger(), Screen())
        read(rows("The same", every: 3), &ledger, &screen)
        var resumed = DraftLedger(ledger.told)
        let deltas = resumed.take(rows("The same text", every: 4, attempt: 2), isWhole: true)
        #expect(deltas.map(\.offset) == [8])
        screen.show(deltas)
        #expect(screen.text == "The same text")
    }

    @Test func theStoredTextMakesWholeWhatWasTold() throws {
        var (ledger, screen) = (DraftLedger(), Screen())
        read(Array(rows(text, every: 5).prefix(2)), &ledger, &screen)
        let told = ledger.finish(answer: 9, questionID: 8, content: text)
        let rest = try #require(told)
        #expect(rest.offset == screen.units.count)
        screen.show([rest])
        #expect(Array(screen.text.utf8) == Array(text.utf8))
        let nothing = ledger.finish(answer: 9, questionID: 8, content: text)
        #expect(nothing == nil)
        #expect(ledger.told == [])
    }

    @Test func aStoredTextThatIsAnotherOneReplacesAll() throws {
        var (ledger, screen) = (DraftLedger(), Screen())
        read(rows("Not this", every: 3), &ledger, &screen)
        let told = ledger.finish(answer: 9, questionID: 8, content: "But that")
        screen.show([try #require(told)])
        #expect(screen.text == "But that")
    }

    @Test func anAnswerOfWhichNothingWasToldIsNotRepeatedAsDeltas() {
        var ledger = DraftLedger()
        let nothing = ledger.finish(answer: 9, questionID: 8, content: text)
        #expect(nothing == nil)
    }

    @Test func aGapIsWaitedOut() {
        var (ledger, screen) = (DraftLedger(), Screen())
        var stored = rows("abcdef", every: 1)
        stored.remove(at: 2)
        read(stored, &ledger, &screen)
        #expect(screen.text == "ab")
        read(rows("abcdef", every: 1), &ledger, &screen)
        #expect(screen.text == "abcdef")
    }

    @Test func aDraftThatNobodyKnowsAnyMoreIsForgotten() {
        var ledger = DraftLedger([.init(messageID: 9, offset: 3, digest: TextDigest(of: "abc"))])
        let more = ledger.take([], isWhole: true)
        #expect(more == [])
        #expect(ledger.told == [])
    }

    @Test func answersAtOnceAreKeptApart() {
        var (first, second, ledger) = (Screen(), Screen(), DraftLedger())
        let all = rows("one two", every: 2, message: 9) + rows("drei vier", every: 2, message: 11)
        let deltas = ledger.take(all, isWhole: true)
        first.show(deltas.filter { $0.messageID == 9 })
        second.show(deltas.filter { $0.messageID == 11 })
        #expect(first.text == "one two")
        #expect(second.text == "drei vier")
        #expect(ledger.positions.map(\.messageID) == [9, 11])
        ledger.giveUp(question: 8)
        #expect(ledger.positions == [])
    }

    @Test func rowsThatAreReadTogetherAreToldAsOneUpToABound() {
        var ledger = DraftLedger()
        let deltas = ledger.take(rows(String(repeating: "x", count: 40_000), every: 1000), isWhole: true)
        #expect(deltas.map { $0.text.utf8.count }.max() == 16_000)
        #expect(deltas.map { $0.text.utf8.count }.reduce(0, +) == 40_000)
    }
}
