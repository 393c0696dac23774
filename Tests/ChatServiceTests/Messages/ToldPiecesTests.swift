import Testing

@testable import ChatService

@Suite struct ToldPiecesTests {
    private func piece(_ attempt: Int, _ position: Int, _ text: String) -> ToldPieces.Piece {
        ToldPieces.Piece(attempt: attempt, position: position, text: text)
    }

    @Test func eachPieceIsToldOnceInItsOrderAndPositionsCountAsBrowsersDo() {
        var told = ToldPieces()
        #expect(told.take([piece(1, 0, "a😀"), piece(1, 3, "b")]) == ["a😀", "b"])
        #expect(told.take([piece(1, 3, "b"), piece(1, 4, "c")]) == ["c"])
        #expect(told.take([]) == [])
        #expect(told.position == 5)
    }

    @Test func whatIsMissingOfTheStoredTextIsToldAtTheEnd() {
        var told = ToldPieces()
        #expect(told.rest(of: "all of it") == "all of it", "nothing was told")
        _ = told.take([piece(1, 0, "a😀"), piece(1, 3, "b")])
        #expect(told.rest(of: "a😀b and more") == " and more")
        #expect(told.rest(of: "a😀b") == nil, "everything was told")
        #expect(told.rest(of: "a😀") == nil)
        #expect(told.rest(of: "another text") == nil, "the beginning of another attempt was told")
    }

    @Test func aGapIsWaitedFor() {
        var told = ToldPieces()
        #expect(told.take([piece(1, 2, "c")]) == [])
        #expect(told.take([piece(1, 0, "ab"), piece(1, 2, "c")]) == ["ab", "c"])
    }

    @Test func aLaterAttemptIsToldOnlyWhenNothingWasToldOfAnEarlierOne() {
        var told = ToldPieces()
        #expect(told.take([piece(2, 0, "fresh")]) == ["fresh"])
        #expect(told.take([piece(3, 0, "again"), piece(3, 5, " and on")]) == [])
    }
}
