import Foundation

/// A PDF whose pages have a text layer (ISO 32000-1, 7.5 and 9.4): five pages that cost the child next to nothing, so
/// that a test of what comes between two pages does not wait for their recognition.
enum TextBook {
    static let pages = 5

    static let bytes: Data = {
        let kids = (0..<pages).map { "\(4 + 2 * $0) 0 R" }.joined(separator: " ")
        var objects = [
            "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count \(pages) /Kids [\(kids)] >>",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
        for page in 1...pages {
            let lines = (1...30).map { "(Page \(page), line \($0): the tenant keeps the flat in good order.) Tj T*" }
            let content = "BT /F1 11 Tf 14 TL 60 780 Td\n\(lines.joined(separator: "\n"))\nET"
            objects.append(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents \(3 + 2 * page) 0 R "
                    + "/Resources << /Font << /F1 3 0 R >> >> >>")
            objects.append("<< /Length \(content.utf8.count) >>\nstream\n\(content)\nendstream")
        }
        return document(objects)
    }()

    private static func document(_ objects: [String]) -> Data {
        var text = "%PDF-1.4\n"
        var table = "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for (index, object) in objects.enumerated() {
            let offset = String(text.utf8.count)
            table += String(repeating: "0", count: 10 - offset.count) + offset + " 00000 n \n"
            text += "\(index + 1) 0 obj\n\(object)\nendobj\n"
        }
        let start = text.utf8.count
        text += table + "trailer\n<< /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF\n"
        return Data(text.utf8)
    }
}
