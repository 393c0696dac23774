/// The kinds of file a person may send, named as the database stores them.
enum DocumentType: String, CaseIterable, Sendable, Codable {
    case png, jpeg, webp, gif, bmp, tiff, pdf, docx, text, markdown

    /// The media type shown to clients (IANA registry; `text/markdown` is RFC 7763).
    var contentType: String {
        switch self {
        case .png: "image/png"
        case .jpeg: "image/jpeg"
        case .webp: "image/webp"
        case .gif: "image/gif"
        case .bmp: "image/bmp"
        case .tiff: "image/tiff"
        case .pdf: "application/pdf"
        case .docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        case .text: "text/plain"
        case .markdown: "text/markdown"
        }
    }
}
