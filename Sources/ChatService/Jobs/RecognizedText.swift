/// The text of a question with files: what the asker wrote, a blank line, and what was recognised, nothing added.
enum RecognizedText {
    /// - Parameters:
    ///   - message: the text given with the files; may be empty.
    ///   - files: in the order of the upload.
    ///   - pages: the recognised pages of all files, ordered by file and number.
    static func assemble(message: String, files: [StoredFile], pages: [StoredPage]) -> String {
        let byFile = Dictionary(grouping: pages, by: \.fileID)
        let texts = files.map { file in
            let text = (byFile[file.id] ?? []).map(text(of:)).filter { !$0.isEmpty }.joined(separator: "\n\n")
            return files.count == 1 ? text : "[\(file.name)]\n\(text)"
        }
        let recognized = texts.joined(separator: "\n\n")
        return message.isEmpty ? recognized : "\(message)\n\n\(recognized)"
    }

    /// Whether there is anything to ask about: at least one page has a letter, digit or sign on it.
    static func isEmpty(_ pages: [StoredPage]) -> Bool {
        pages.allSatisfy { page in page.text?.allSatisfy(\.isWhitespace) ?? true }
    }

    private static func text(of page: StoredPage) -> String {
        page.text ?? "[page \(page.number) could not be read]"
    }
}
