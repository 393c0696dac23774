/// Why an upload was refused. File names in it were cleaned and may be shown to their sender.
enum UploadFailure: Error, Equatable, Sendable {
    case malformed(MultipartFailure)
    /// More bytes than one request may have.
    case requestTooLarge
    case fileTooLarge(name: String)
    case tooManyFiles
    case noFile
    case unsupportedType(name: String)
    case emptyFile(name: String)
    /// A text field that is too long, sent twice, no UTF-8, or has a NUL in it.
    case badField(name: String, reason: String)
    /// The question itself is longer than any field may be, and so than a question may be.
    case messageTooLong
    /// As many bodies as we read at once are being read.
    case busy
}
