import Shared

/// How far a reader of a conversation's events has come: the last change it has heard of, and how much of each answer
/// that was on its way then.
///
/// It is what stands in an event's `id`, opaque to clients: `57`, or `57-8812.340.af63dc4c8601ec8c` where 340 UTF-16
/// code units of answer 8812 have been told, with a digest of them. Everything needed to go on is in it, so any replica
/// can, and an answer that another replica began anew is noticed by its digest.
struct EventCursor: Sendable, Equatable {
    /// What was told of an answer that is not stored yet.
    struct Draft: Sendable, Equatable {
        let messageID: Int
        /// In UTF-16 code units.
        let offset: Int
        let digest: TextDigest
    }

    /// The number of the last change (`chat.conversations.changes`).
    let change: Int
    let drafts: [Draft]

    /// More answers at once than this are told again from their beginning after a reconnection.
    static let draftsMax = 8
    private static let bytesMax = 1024

    init(change: Int, drafts: [Draft] = []) {
        self.change = change
        self.drafts = drafts
    }

    /// Reads the `id` of an event that a client sent back; throws `invalid_cursor` for anything that this type does not
    /// write.
    init(_ text: some StringProtocol) throws(Problem) {
        guard text.utf8.count <= Self.bytesMax else { throw Problem(.invalidCursor) }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let change = Self.number(parts[0]), parts.count <= 1 + Self.draftsMax else {
            throw Problem(.invalidCursor)
        }
        var drafts: [Draft] = []
        for part in parts.dropFirst() {
            let fields = part.split(separator: ".", omittingEmptySubsequences: false)
            guard fields.count == 3, let id = Int(positiveDecimal: fields[0]), let offset = Self.number(fields[1]),
                offset <= Int(Int32.max), let digest = TextDigest(text: fields[2])
            else { throw Problem(.invalidCursor) }
            drafts.append(Draft(messageID: id, offset: offset, digest: digest))
        }
        self.init(change: change, drafts: drafts)
    }

    /// The cursor as it stands in an event's `id`.
    var text: String {
        var text = String(change)
        for draft in drafts.prefix(Self.draftsMax) {
            text += "-\(draft.messageID).\(draft.offset).\(draft.digest.text)"
        }
        return text
    }

    /// Only as this type writes it: no leading zero.
    private static func number(_ text: some StringProtocol) -> Int? {
        if text == "0" { return 0 }
        return text.first == "0" ? nil : Int(positiveDecimal: text)
    }
}

/// A running digest of a text (FNV-1a with 64 bits): tells whether two texts began alike. It guards against mistakes,
/// not against forgery: whoever forges a cursor spoils their own screen.
struct TextDigest: Sendable, Equatable {
    private var value: UInt64 = 0xcbf2_9ce4_8422_2325

    init() {}

    /// The digest of a text.
    init(of text: some StringProtocol) {
        add(text)
    }

    init?(text: some StringProtocol) {
        guard (1...16).contains(text.utf8.count), let value = UInt64(text, radix: 16), text.first != "+" else {
            return nil
        }
        self.value = value
    }

    mutating func add(_ text: some StringProtocol) {
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    var text: String { String(value, radix: 16) }
}
