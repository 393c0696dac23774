import NIOCore

/// What to do with the files of a form, in this order: `begin`, any number of `append`, `end`.
enum UploadStep: Equatable, Sendable {
    /// A file's type is known. Its first bytes follow in an `append`.
    case begin(name: String, type: DocumentType)
    case append(ByteBuffer)
    case end
}

/// Turns the events of a multipart body into text fields, kept here, and steps for the files, which go elsewhere.
///
/// Decides as early as the bytes allow: one file too many and a wrong type after `DocumentTypeSniffer.headBytes`. Keeps
/// no more of a file than that. Parts named `file` or `files` (also with `[]`) are files, parts of other names are text
/// fields; a file under another name is skipped, as every unknown member is.
struct UploadForm: Sendable {
    private enum Part {
        case none
        case skipped
        case field(name: String, bytes: ByteBuffer)
        /// A file whose type is not known yet.
        case head(name: String, wasNamed: Bool, bytes: ByteBuffer)
        case file(name: String, count: Int)
    }

    /// The field whose length is the user's business (422), not that of the program that made the form (400).
    private static let messageField = "message"

    private let limits: UploadLimits
    private let sniffer = DocumentTypeSniffer()
    private var part = Part.none
    private var files = 0
    /// The text fields read so far.
    private(set) var fields: [String: String] = [:]

    init(limits: UploadLimits = UploadLimits()) {
        self.limits = limits
    }

    /// Takes the next event of the body.
    mutating func handle(_ event: MultipartEvent) throws(UploadFailure) -> [UploadStep] {
        switch event {
        case .partBegan(let headers):
            try begin(headers)
            return []
        case .partBytes(let bytes): return try take(bytes)
        case .partEnded: return try end()
        case .finished: return []
        }
    }

    private mutating func begin(_ headers: PartHeaders) throws(UploadFailure) {
        if ["file", "files", "file[]", "files[]"].contains(headers.name) {
            let wasNamed = headers.fileName.map { !$0.isEmpty } ?? false
            part = .head(name: FileName.clean(headers.fileName ?? ""), wasNamed: wasNamed, bytes: ByteBuffer())
        } else if headers.fileName != nil {
            part = .skipped
        } else {
            guard fields[headers.name] == nil else { throw .badField(name: headers.name, reason: "is given twice") }
            part = .field(name: headers.name, bytes: ByteBuffer())
        }
    }

    private mutating func take(_ bytes: ByteBuffer) throws(UploadFailure) -> [UploadStep] {
        let current = part
        part = .none  // so that the buffers below have one owner and grow in place
        switch current {
        case .none, .skipped:
            part = current
            return []
        case .field(let name, let value):
            try takeField(bytes, name: name, value: value)
            return []
        case .head(let name, let wasNamed, var head):
            head.writeImmutableBuffer(bytes)
            part = .head(name: name, wasNamed: wasNamed, bytes: head)
            return head.readableBytes < DocumentTypeSniffer.headBytes ? [] : try decideType(name: name, head: head)
        case .file(let name, let count):
            try takeFile(bytes.readableBytes, name: name, count: count)
            return [.append(bytes)]
        }
    }

    private mutating func takeField(
        _ bytes: ByteBuffer, name: String, value: consuming ByteBuffer
    ) throws(UploadFailure) {
        guard value.readableBytes + bytes.readableBytes <= limits.fieldBytes else {
            if name == Self.messageField { throw .messageTooLong }
            throw .badField(name: name, reason: "is longer than \(limits.fieldBytes) bytes")
        }
        value.writeImmutableBuffer(bytes)
        part = .field(name: name, bytes: value)
    }

    private mutating func takeFile(_ bytes: Int, name: String, count: Int) throws(UploadFailure) {
        guard count + bytes <= limits.fileBytes else { throw .fileTooLarge(name: name) }
        part = .file(name: name, count: count + bytes)
    }

    private mutating func decideType(name: String, head: ByteBuffer) throws(UploadFailure) -> [UploadStep] {
        guard files < limits.files else { throw .tooManyFiles }
        let leading = Array(head.readableBytesView.prefix(DocumentTypeSniffer.headBytes))
        guard let type = sniffer.type(ofHead: leading, name: name) else { throw .unsupportedType(name: name) }
        files += 1
        try takeFile(head.readableBytes, name: name, count: 0)
        return [.begin(name: name, type: type), .append(head)]
    }

    private mutating func end() throws(UploadFailure) -> [UploadStep] {
        defer { part = .none }
        switch part {
        case .none, .skipped: return []
        case .field(let name, let bytes):
            fields[name] = try text(bytes, name: name)
            return []
        case .head(let name, let wasNamed, let head):
            if head.readableBytes > 0 { return try decideType(name: name, head: head) + [.end] }
            // Browsers send an empty file without a name for a file input in which nothing was chosen.
            guard !wasNamed else { throw .emptyFile(name: name) }
            return []
        case .file: return [.end]
        }
    }

    private func text(_ bytes: ByteBuffer, name: String) throws(UploadFailure) -> String {
        guard let text = String(validating: bytes.readableBytesView, as: UTF8.self) else {
            throw .badField(name: name, reason: "is not UTF-8")
        }
        guard !text.utf8.contains(0) else { throw .badField(name: name, reason: "has a NUL character in it") }
        return text
    }
}
