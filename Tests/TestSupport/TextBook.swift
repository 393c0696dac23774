package import Foundation

/// A PDF whose pages have a text layer (ISO 32000-1, 7.5 and 9.4): pages that cost the child next to nothing, so that a
/// test of what comes between two pages does not wait for their recognition.
package enum TextBook {
    /// What is on a page.
    package enum Page: Sendable {
        case text, nothing
        /// A picture over the whole page whose stream is none.
        case brokenPicture
    }

    package static let pages = 5

    package static let bytes = made(of: Array(repeating: .text, count: pages))

    /// A document with pages of these kinds; each text tells the number of its page.
    package static func made(of pages: [Page]) -> Data {
        let kids = pages.indices.map { "\(5 + 2 * $0) 0 R" }.joined(separator: " ")
        var objects = [
            "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count \(pages.count) /Kids [\(kids)] >>",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>", brokenPicture,
        ]
        for (index, page) in pages.enumerated() {
            let content = content(of: page, number: index + 1)
            objects.append(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents \(6 + 2 * index) 0 R "
                    + "/Resources << /Font << /F1 3 0 R >> /XObject << /I1 4 0 R >> >> >>")
            objects.append("<< /Length \(content.utf8.count) >>\nstream\n\(content)\nendstream")
        }
        return PDFFile.made(of: objects)
    }

    private static func content(of page: Page, number: Int) -> String {
        switch page {
        case .nothing: return ""
        case .brokenPicture: return "q 595 0 0 842 0 0 cm /I1 Do Q"
        case .text:
            let lines = (1...30).map { "(Page \(number), line \($0): the tenant keeps the flat in good order.) Tj T*" }
            return "BT /F1 11 Tf 14 TL 60 780 Td\n\(lines.joined(separator: "\n"))\nET"
        }
    }

    /// Letters where a compressed stream should be.
    private static let brokenPicture = """
        << /Type /XObject /Subtype /Image /Width 600 /Height 800 /ColorSpace /DeviceGray /BitsPerComponent 8
        /Filter /FlateDecode /Length 26 >>
        stream
        abcdefghijklmnopqrstuvwxyz
        endstream
        """
}
