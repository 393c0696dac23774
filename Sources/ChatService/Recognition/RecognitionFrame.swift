/// One message between ChatService and its recognizing child: `UInt32` length (little endian), a tag, the payload.
///
/// Both ends are the same program, so there is no version. The reader of a frame bounds it before it allocates.
struct RecognitionFrame: Equatable, Sendable {
    /// What the payload is.
    enum Tag: UInt8, Sendable {
        /// To the child: the name of a `DocumentType`; the file's descriptor travels beside it (`SCM_RIGHTS`).
        case open
        /// To the child: a page number in decimal digits.
        case page
        /// From the child: the number of pages.
        case pages
        /// From the child: a page's text.
        case text
        /// From the child: why a page cannot be read.
        case unreadablePage
        /// From the child, each a `RecognitionFailure`.
        case unreadableFile, encryptedFile, tooManyPages, tooManyPixels, unavailable
    }

    /// Bytes in front of the payload.
    static let headBytes = 5
    /// The longest payload to the child.
    static let requestBytesMax = 64
    /// The longest payload from the child.
    static let replyBytesMax = DocumentLimits.textBytes

    let tag: Tag
    let payload: String

    /// The frame as it is sent.
    var bytes: [UInt8] {
        let text = payload.utf8
        let length = UInt32(text.count)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headBytes + text.count)
        for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
        bytes.append(tag.rawValue)
        bytes.append(contentsOf: text)
        return bytes
    }

    /// Reads the five bytes in front of a payload.
    /// - Returns: the tag and the payload's length, or nil if they make no frame of at most `maxBytes`.
    static func head(_ bytes: [UInt8], maxBytes: Int) -> (tag: Tag, length: Int)? {
        guard bytes.count == headBytes, let tag = Tag(rawValue: bytes[4]) else { return nil }
        let length = (0..<4).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
        return length <= maxBytes ? (tag, length) : nil
    }
}

extension RecognitionFrame {
    /// The answer that carries `failure` to the parent. Failures that only the parent can find out have none.
    init(_ failure: RecognitionFailure) {
        switch failure {
        case .unreadableFile(let reason): self.init(tag: .unreadableFile, payload: reason)
        case .encryptedFile: self.init(tag: .encryptedFile, payload: "")
        case .tooManyPages(let count): self.init(tag: .tooManyPages, payload: String(count))
        case .tooManyPixels: self.init(tag: .tooManyPixels, payload: "")
        case .unavailable(let reason), .crashed(let reason): self.init(tag: .unavailable, payload: reason)
        case .timedOut, .cancelled: self.init(tag: .unavailable, payload: "\(failure)")
        }
    }

    /// The answer that carries one page.
    init(_ page: RecognizedPage) {
        switch page {
        case .text(let text): self.init(tag: .text, payload: text)
        case .unreadable(let reason): self.init(tag: .unreadablePage, payload: reason)
        }
    }

    /// The failure this answer carries, or nil if it carries none.
    var failure: RecognitionFailure? {
        switch tag {
        case .unreadableFile: .unreadableFile(payload)
        case .encryptedFile: .encryptedFile
        case .tooManyPages: .tooManyPages(Int(payload) ?? 0)
        case .tooManyPixels: .tooManyPixels
        case .unavailable: .unavailable(payload)
        case .open, .page, .pages, .text, .unreadablePage: nil
        }
    }
}
