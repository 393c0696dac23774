/// Tells the type of a file by its leading bytes. What the client says about it (name, media type) is not asked, except
/// to tell Markdown from plain text, which no byte does.
struct DocumentTypeSniffer: Sendable {
    /// How many leading bytes are wanted; fewer only if the file is shorter.
    static let headBytes = 4096

    /// The type of a file that we read, or nil for every other file.
    /// - Parameters:
    ///   - head: the first `headBytes` of the file, or all of it.
    ///   - name: the file's name; its ending `.md` or `.markdown` makes text Markdown.
    func type(ofHead head: [UInt8], name: String) -> DocumentType? {
        if let type = imageType(head) { return type }
        if isPDF(head) { return .pdf }
        if head.starts(with: Self.zipEntry) { return isWordDocument(head) ? .docx : nil }
        guard TextSniffer.isText(head) else { return nil }
        return [".md", ".markdown"].contains { name.lowercased().hasSuffix($0) } ? .markdown : .text
    }

    private func imageType(_ head: [UInt8]) -> DocumentType? {
        if head.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
        if head.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
        if head.starts(with: Array("GIF87a".utf8)) || head.starts(with: Array("GIF89a".utf8)) { return .gif }
        if head.starts(with: Array("RIFF".utf8)), head.dropFirst(8).starts(with: Array("WEBP".utf8)) { return .webp }
        // BigTIFF (43 instead of 42) is for files beyond 4 GiB and not among what we read.
        if head.starts(with: [0x49, 0x49, 42, 0]) || head.starts(with: [0x4D, 0x4D, 0, 42]) { return .tiff }
        return isBitmap(head) ? .bmp : nil
    }

    /// `BM` alone would make a bitmap of every text about a Bavarian car: the size of the second header decides.
    private func isBitmap(_ head: [UInt8]) -> Bool {
        guard head.starts(with: Array("BM".utf8)), head.count >= 26 else { return false }
        return [12, 16, 40, 52, 56, 64, 108, 124].contains(head[14]) && head[15...17].allSatisfy { $0 == 0 }
    }

    private func isPDF(_ head: [UInt8]) -> Bool {
        var rest = head[...]
        if rest.starts(with: TextSniffer.utf8Mark) { rest = rest.dropFirst(3) }
        return rest.drop(while: TextSniffer.isSpace).starts(with: Array("%PDF-".utf8))
    }
}

extension DocumentTypeSniffer {
    /// The signature of a local file header in a ZIP archive (APPNOTE 4.3.7).
    private static let zipEntry: [UInt8] = [0x50, 0x4B, 3, 4]

    /// Whether the archive's first entries are those of a Word document (ECMA-376 part 2). An archive whose visible
    /// entries are only those that every Office file has is let through; the recognizer looks inside.
    private func isWordDocument(_ head: [UInt8]) -> Bool {
        let names = zipEntryNames(head)
        let everyOffice = ["[Content_Types].xml", "_rels/", "docProps/", "customXml/", "word/"]
        guard let first = names.first, everyOffice.contains(where: first.hasPrefix) else { return false }
        return names.contains { $0.hasPrefix("word/") }
            || names.allSatisfy { name in everyOffice.contains(where: name.hasPrefix) }
    }

    private func zipEntryNames(_ head: [UInt8]) -> [String] {
        head.indices.dropLast(30).filter { head[$0] == 0x50 && head[$0...].starts(with: Self.zipEntry) }.map { start in
            let length = Int(head[start + 26]) | Int(head[start + 27]) << 8
            return String(decoding: head[(start + 30)...].prefix(length), as: UTF8.self)
        }
    }
}
