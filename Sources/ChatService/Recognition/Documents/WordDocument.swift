/// A Word document (DOCX: ECMA-376, Office Open XML): one page, its text in reading order.
///
/// Headers come first, once each, then the body, notes after it, footers last. Numbers that Word makes while it draws
/// (lists, pages) are not in the file and not in the text.
struct WordDocument: ReadableDocument {
    let pageCount = 1
    private let text: String

    /// Reads the whole document: there are no pages in the file to read one by one.
    init(_ file: DocumentFile) throws(RecognitionFailure) {
        let package = try WordPackage(file.bytes)
        let main = try package.target(of: "officeDocument", in: "_rels/.rels").first ?? "word/document.xml"
        let relations = Self.relations(of: main)
        var parts: [String] = []
        parts += try Self.unique(package, "header", relations)
        parts.append(try WordText(package, part: main).text)
        parts += try Self.unique(package, "footnotes", relations)
        parts += try Self.unique(package, "endnotes", relations)
        parts += try Self.unique(package, "footer", relations)
        text = PageText(parts.joined()).normalized
    }

    func page(_ number: Int) throws(RecognitionFailure) -> RecognizedPage { .text(text) }

    /// The relations of `word/document.xml` are in `word/_rels/document.xml.rels`.
    private static func relations(of part: String) -> String {
        let cut = part.lastIndex(of: "/").map { part.index(after: $0) } ?? part.startIndex
        return "\(part[..<cut])_rels/\(part[cut...]).rels"
    }

    /// The texts of every part of a kind, each once, without those that are only a number.
    private static func unique(
        _ package: WordPackage, _ kind: String, _ relations: String
    ) throws(RecognitionFailure) -> [String] {
        var texts: [String] = []
        for part in try package.target(of: kind, in: relations).prefix(DocumentLimits.pages) {
            let text = try WordText(package, part: part).text
            let hasLetters = text.unicodeScalars.contains { $0.properties.isAlphabetic }
            if hasLetters, !texts.contains(text) { texts.append(text) }
        }
        return texts
    }
}
