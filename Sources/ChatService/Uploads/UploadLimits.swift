/// The bounds of one upload.
struct UploadLimits: Sendable {
    var files = 5
    var fileBytes = 20 * 1024 * 1024
    /// The whole body as it is sent, with the delimiters and headers of its parts.
    var requestBytes = 50 * 1024 * 1024
    /// One text field; 10,000 characters of a message are at most 40,000 bytes.
    var fieldBytes = 64 * 1024
    var multipart = MultipartParser.Limits()
}
