import Shared

/// How far a stream has told of an answer that some replica is writing. An attempt that was given up is not told again
/// from its beginning: the last event of the stream has the whole text.
struct ToldPieces: Sendable {
    /// A row of `chat.deltas`.
    struct Piece: Sendable {
        let attempt: Int
        /// In UTF-16 code units.
        let position: Int
        let text: String
    }

    private(set) var attempt = 0
    private(set) var position = 0
    private var digest = TextDigest()

    /// The texts that follow what was told, up to the first gap.
    mutating func take(_ pieces: [Piece]) -> [String] {
        var texts: [String] = []
        for piece in pieces {
            if position == 0 { attempt = piece.attempt }
            guard piece.attempt == attempt, piece.position == position else { continue }
            texts.append(piece.text)
            position += piece.text.utf16.count
            digest.add(piece.text)
        }
        return texts
    }

    /// What is missing of the whole text, so that the pieces alone are that text; nil when nothing is, or when what was
    /// told is the beginning of another text.
    func rest(of text: String) -> String? {
        guard let end = text.index(utf16Offset: position), end < text.endIndex,
            TextDigest(of: text[..<end]) == digest
        else { return nil }
        return String(text[end...])
    }
}

extension PostgresQuerying {
    /// The next pieces of an answer that is being written, at most 256.
    func pieces(ofAnswer id: Int, inConversation conversationID: Int, after told: ToldPieces) async throws
        -> [ToldPieces.Piece]
    {
        try await read(
            """
            select attempt, position, text from chat.deltas
            where conversation_id = \(conversationID) and message_id = \(id)
                and (attempt, position) >= (\(told.attempt)::int, \(told.position)::int)
            order by attempt, position limit 256
            """
        ).map { row in
            let (attempt, position, text) = try row.decode(Int.self, Int.self, String.self)
            return ToldPieces.Piece(attempt: attempt, position: position, text: text)
        }
    }
}
