import CLinux
import NIOCore

/// What a `MultipartParser` finds in a body, in the order of the body.
enum MultipartEvent: Equatable, Sendable {
    case partBegan(PartHeaders)
    /// Some of the part's bytes; where possible a slice of what was fed, not a copy.
    case partBytes(ByteBuffer)
    case partEnded
    /// The closing delimiter was read. What follows it is skipped and belongs to nobody.
    case finished
}

/// Why a body is not multipart/form-data within our bounds.
enum MultipartFailure: Error, Equatable, Sendable {
    case badBoundary, longPreamble, longEpilogue, badDelimiter, tooManyParts, longHeaders, tooManyHeaders, badHeaders
    case badDisposition, transferEncoding, endedEarly
}

/// A streaming parser of multipart/form-data (RFC 7578, RFC 2046 section 5.1) that does no input or output itself.
///
/// Feed it with `append`, then take events with `next` until that returns nil. Between two calls of `append` it keeps
/// at most an unfinished header block or the start of a possible delimiter, whatever the size of the body. Its work is
/// linear in the bytes fed, also for bodies made of almost-delimiters and line ends only.
struct MultipartParser: Sendable {
    /// The bounds of one body.
    struct Limits: Sendable {
        var parts = 20
        /// Bytes of one part's headers, without the empty line that ends them.
        var headerBlockBytes = 8 * 1024
        var headersPerPart = 16
        /// Bytes before the first delimiter and after the last one; form senders write none.
        var marginBytes = 8 * 1024
        /// Blanks between a delimiter and the end of its line (RFC 2046: transport padding).
        var paddingBytes = 64
    }

    private enum State { case preamble, delimiterLine, headers, body, epilogue }

    private let limits: Limits
    /// CR LF, two hyphens and the boundary. Its only CR is the first byte, which `undecidedTail` relies on.
    private let delimiter: [UInt8]
    private var state = State.preamble
    private var parts = 0
    private var marginBytes = 0
    /// How far the header block was searched for its end already.
    private var searchedBytes = 0
    private var pending: ByteBuffer

    /// - Parameter boundary: 1 to 70 characters of RFC 2046's `bchars`, not ending in a blank.
    init(boundary: String, limits: Limits = Limits()) throws(MultipartFailure) {
        guard Self.isBoundary(boundary) else { throw .badBoundary }
        self.limits = limits
        delimiter = Array("\r\n--\(boundary)".utf8)
        // The first delimiter may stand at the very beginning: a line end is imagined before the body.
        pending = ByteBuffer(string: "\r\n")
    }

    /// Whether the closing delimiter was read.
    var isFinished: Bool { state == .epilogue }

    /// How many bytes are kept for the next call; for tests of the bound.
    var bufferedBytes: Int { pending.readableBytes }

    mutating func append(_ bytes: ByteBuffer) {
        guard pending.readableBytes > 0 else { return pending = bytes }
        // A new buffer: the old one may be shared with slices that were given out.
        var joined = ByteBuffer()
        joined.reserveCapacity(pending.readableBytes + bytes.readableBytes)
        joined.writeImmutableBuffer(pending)
        joined.writeImmutableBuffer(bytes)
        pending = joined
    }

    /// The next event, or nil when more bytes are needed.
    mutating func next() throws(MultipartFailure) -> MultipartEvent? {
        while true {
            switch state {
            case .preamble:
                guard try skipPreamble() else { return nil }
            case .delimiterLine:
                guard try readDelimiterLine() else { return nil }
                if state == .epilogue { return .finished }
            case .headers:
                guard let headers = try readHeaders() else { return nil }
                return .partBegan(headers)
            case .body:
                return readBody()
            case .epilogue:
                try skipMargin(pending.readableBytes, failure: .longEpilogue)
                return nil
            }
        }
    }

    /// To be called when the body has ended: a body without its closing delimiter was cut off.
    func finish() throws(MultipartFailure) {
        guard isFinished else { throw .endedEarly }
    }
}

extension MultipartParser {
    private mutating func skipPreamble() throws(MultipartFailure) -> Bool {
        let (plainBytes, isDelimiter) = scan()
        try skipMargin(plainBytes, failure: .longPreamble)
        if isDelimiter { skipDelimiter() }
        return isDelimiter
    }

    private mutating func skipMargin(_ count: Int, failure: MultipartFailure) throws(MultipartFailure) {
        marginBytes += count
        guard marginBytes <= limits.marginBytes else { throw failure }
        pending.moveReaderIndex(forwardBy: count)
    }

    private mutating func skipDelimiter() {
        pending.moveReaderIndex(forwardBy: delimiter.count)
        marginBytes = 0
        state = .delimiterLine
    }

    private mutating func readBody() -> MultipartEvent? {
        let (plainBytes, isDelimiter) = scan()
        if plainBytes > 0 { return pending.readSlice(length: plainBytes).map(MultipartEvent.partBytes) }
        guard isDelimiter else { return nil }
        skipDelimiter()
        return .partEnded
    }

    /// Reads what follows a delimiter: two hyphens close the body, blanks and a line end begin a part. Anything else is
    /// refused: RFC 2046 forbids the delimiter inside a part even as a prefix of a longer line.
    private mutating func readDelimiterLine() throws(MultipartFailure) -> Bool {
        let line = pending.readableBytesView.prefix(limits.paddingBytes + 2)
        guard let first = line.first else { return false }
        if first == UInt8(ascii: "-") {
            guard let second = line.dropFirst().first else { return false }
            guard second == first else { throw .badDelimiter }
            pending.moveReaderIndex(forwardBy: 2)
            state = .epilogue
            return true
        }
        let padding = line.prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.count
        let end = Array(line.dropFirst(padding).prefix(2))
        guard [UInt8(ascii: "\r"), UInt8(ascii: "\n")].starts(with: end), padding <= limits.paddingBytes else {
            throw .badDelimiter
        }
        guard end.count == 2 else { return false }
        return try beginPart(after: padding + 2)
    }

    private mutating func beginPart(after lineBytes: Int) throws(MultipartFailure) -> Bool {
        parts += 1
        guard parts <= limits.parts else { throw .tooManyParts }
        pending.moveReaderIndex(forwardBy: lineBytes)
        searchedBytes = 0
        state = .headers
        return true
    }

    private mutating func readHeaders() throws(MultipartFailure) -> PartHeaders? {
        guard let end = headersEnd() else {
            searchedBytes = max(0, pending.readableBytes - 3)
            guard searchedBytes <= limits.headerBlockBytes else { throw .longHeaders }
            return nil
        }
        guard end <= limits.headerBlockBytes, let block = pending.readSlice(length: end) else { throw .longHeaders }
        pending.moveReaderIndex(forwardBy: 4)
        state = .body
        return try PartHeaders(block: block.readableBytesView, maximumCount: limits.headersPerPart)
    }

    /// Where the empty line after the headers begins. A block without any header is an immediate line end, which no
    /// form part may be; it is left to `PartHeaders` to refuse whatever was taken for headers then.
    private func headersEnd() -> Int? {
        pending.withUnsafeReadableBytes { bytes in
            Self.offset(of: [13, 10, 13, 10], in: UnsafeRawBufferPointer(rebasing: bytes[searchedBytes...]))
                .map { $0 + searchedBytes }
        }
    }
}

extension MultipartParser {
    /// Counts the bytes at the start of `pending` that cannot belong to a delimiter, and says whether one follows.
    private func scan() -> (plainBytes: Int, isDelimiter: Bool) {
        pending.withUnsafeReadableBytes { bytes in
            if let offset = Self.offset(of: delimiter, in: bytes) { return (offset, true) }
            return (bytes.count - undecidedTail(of: bytes), false)
        }
    }

    /// The length of the longest end of `bytes` that is a beginning of the delimiter. Only the last CR can start one.
    private func undecidedTail(of bytes: UnsafeRawBufferPointer) -> Int {
        let tail = bytes.suffix(delimiter.count - 1)
        guard let start = tail.lastIndex(of: 13), delimiter.starts(with: tail[start...]) else { return 0 }
        return tail.endIndex - start
    }

    /// memmem(3): glibc's is vectorised for short needles and linear in the worst case.
    private static func offset(of needle: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let start = bytes.baseAddress, bytes.count >= needle.count else { return nil }
        return memmem(start, bytes.count, needle, needle.count).map { UnsafeRawPointer($0) - start }
    }

    private static func isBoundary(_ text: String) -> Bool {
        let marks = Set("'()+_,-./:=? ".utf8)
        let bytes = text.utf8
        return (1...70).contains(bytes.count) && bytes.last != UInt8(ascii: " ")
            && bytes.allSatisfy { isASCIIAlphanumeric($0) || marks.contains($0) }
    }
}

/// Whether a byte is an ASCII letter or digit.
func isASCIIAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: false
    }
}
