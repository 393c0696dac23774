/// A piece of an answer that is not stored yet, as it stands in `chat.deltas`.
struct DeltaRow: Sendable, Equatable {
    let messageID: Int
    let attempt: Int
    /// In UTF-16 code units.
    let position: Int
    let questionID: Int
    let text: String
}

/// The text that a reader is told next: it replaces everything from `offset` on.
struct ToldDelta: Sendable, Equatable {
    let messageID: Int
    let questionID: Int
    /// In UTF-16 code units. Less than what was told before: the answer was begun anew.
    let offset: Int
    var text: String
}

/// What one reader has been told of the answers on their way, and what follows from the rows it reads: no gap, no
/// repetition, and a beginning anew when another attempt writes another text. Pure: rows in, deltas out.
struct DraftLedger: Sendable {
    private struct Draft {
        var questionID: Int?
        /// Nil after a reconnection: whose text was told is found out by its digest.
        var attempt: Int?
        var offset: Int
        var digest: TextDigest
        /// While `attempt` is nil: the text that was read again and is compared with what was told.
        var seen: (attempt: Int, offset: Int, digest: TextDigest)?
    }

    private var drafts: [Int: Draft] = [:]
    /// Whether rows that were read before have to be read again, because the told text turned out to be another one.
    private(set) var mustReadAgain = false

    /// - Parameter told: what the reader had been told when it left.
    init(_ told: [EventCursor.Draft] = []) {
        for draft in told { drafts[draft.messageID] = Draft(offset: draft.offset, digest: draft.digest) }
    }

    /// What the reader has been told, for its cursor.
    var told: [EventCursor.Draft] {
        drafts.filter { $0.value.offset > 0 }.sorted { $0.key < $1.key }.map { id, draft in
            EventCursor.Draft(messageID: id, offset: draft.offset, digest: draft.digest)
        }
    }

    /// Where to read on: in each draft at its attempt and position.
    var positions: [DeltaPosition] {
        drafts.sorted { $0.key < $1.key }.map { id, draft in
            let attempt = draft.attempt ?? draft.seen?.attempt ?? 0
            let position = draft.attempt == nil ? draft.seen?.offset ?? 0 : draft.offset
            return DeltaPosition(messageID: id, attempt: attempt, position: position)
        }
    }

    // MARK: Rows

    /// Takes rows in the order of their key, read from `positions` on.
    ///
    /// - Parameter isWhole: whether there were no more rows than these.
    mutating func take(_ rows: [DeltaRow], isWhole: Bool) -> [ToldDelta] {
        mustReadAgain = false
        var newest: [Int: Int] = [:]
        for row in rows { newest[row.messageID] = max(newest[row.messageID] ?? 0, row.attempt) }
        var deltas: [ToldDelta] = []
        for row in rows where row.attempt == newest[row.messageID] {
            if let delta = take(row) { Self.append(delta, to: &deltas) }
        }
        if isWhole { settleUnproved() }
        return deltas
    }

    private mutating func take(_ row: DeltaRow) -> ToldDelta? {
        var draft = drafts[row.messageID] ?? Draft(attempt: row.attempt, offset: 0, digest: TextDigest())
        defer { drafts[row.messageID] = draft }
        draft.questionID = row.questionID
        guard let attempt = draft.attempt else { return prove(&draft, with: row) }
        if row.attempt > attempt, row.position == 0 {
            draft = Draft(questionID: row.questionID, attempt: row.attempt, offset: 0, digest: TextDigest())
        }
        guard row.attempt == draft.attempt, row.position == draft.offset else { return nil }
        return Self.tell(row.text[...], of: row, &draft)
    }

    /// Compares the text that is read again with what was told before the reconnection.
    private mutating func prove(_ draft: inout Draft, with row: DeltaRow) -> ToldDelta? {
        var seen = draft.seen ?? (row.attempt, 0, TextDigest())
        if row.attempt > seen.attempt { seen = (row.attempt, 0, TextDigest()) }
        guard row.attempt == seen.attempt, row.position == seen.offset else { return nil }
        let known = row.text.index(utf16Offset: draft.offset - seen.offset)
        seen.digest.add(row.text[..<(known ?? row.text.endIndex)])
        seen.offset += row.text.utf16.count
        draft.seen = seen
        guard seen.offset >= draft.offset else { return nil }
        guard let known, seen.digest == draft.digest else {
            // Another text: to be read, and told, from its beginning.
            draft = Draft(questionID: row.questionID, attempt: row.attempt, offset: 0, digest: TextDigest())
            mustReadAgain = true
            return nil
        }
        draft.attempt = row.attempt
        draft.seen = nil
        return known == row.text.endIndex ? nil : Self.tell(row.text[known...], of: row, &draft)
    }

    /// Everything was read, and a draft still has less text than was told: it was begun anew, or given up.
    private mutating func settleUnproved() {
        for (id, draft) in drafts where draft.attempt == nil {
            guard let seen = draft.seen else {
                drafts[id] = nil
                continue
            }
            drafts[id] = Draft(questionID: draft.questionID, attempt: seen.attempt, offset: 0, digest: TextDigest())
            mustReadAgain = true
        }
    }

    private static func tell(_ text: Substring, of row: DeltaRow, _ draft: inout Draft) -> ToldDelta {
        let delta = ToldDelta(
            messageID: row.messageID, questionID: row.questionID, offset: draft.offset, text: String(text))
        draft.offset += text.utf16.count
        draft.digest.add(text)
        return delta
    }

    /// How much text one event may carry when several rows are told at once, in UTF-8.
    static let joinedBytesMax = 16 * 1024

    private static func append(_ delta: ToldDelta, to deltas: inout [ToldDelta]) {
        guard let last = deltas.last, last.messageID == delta.messageID,
            last.offset + last.text.utf16.count == delta.offset,
            last.text.utf8.count + delta.text.utf8.count <= joinedBytesMax
        else { return deltas.append(delta) }
        deltas[deltas.count - 1].text += delta.text
    }

    // MARK: Ends

    /// The stored text of an answer. What was told of it is made whole first, so that the pieces alone are the text.
    mutating func finish(answer id: Int, questionID: Int, content: String) -> ToldDelta? {
        guard let draft = drafts.removeValue(forKey: id), draft.offset > 0 else { return nil }
        if let end = content.index(utf16Offset: draft.offset), TextDigest(of: content[..<end]) == draft.digest {
            guard end < content.endIndex else { return nil }
            return ToldDelta(
                messageID: id, questionID: questionID, offset: draft.offset, text: String(content[end...]))
        }
        return ToldDelta(messageID: id, questionID: questionID, offset: 0, text: content)
    }

    /// A question that ended without an answer.
    mutating func giveUp(question id: Int) {
        drafts = drafts.filter { $0.value.questionID != id }
    }
}

/// A place in `chat.deltas`.
struct DeltaPosition: Sendable, Equatable {
    let messageID: Int
    let attempt: Int
    let position: Int
}

extension String {
    /// The index that many UTF-16 code units from the start; nil past the end or inside a character beyond U+FFFF.
    func index(utf16Offset offset: Int) -> String.Index? {
        guard offset >= 0, let index = utf16.index(utf16.startIndex, offsetBy: offset, limitedBy: utf16.endIndex) else {
            return nil
        }
        return index.samePosition(in: unicodeScalars)
    }
}
