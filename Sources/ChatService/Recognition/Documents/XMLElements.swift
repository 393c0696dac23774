import CXML
import Glibc

/// Where the reader stands: a tag or a text. Valid only while it stands there.
struct XMLElement {
    /// What is met.
    enum Kind { case start, end, text }

    let kind: Kind
    fileprivate let reader: xmlTextReaderPtr

    /// The name without its prefix.
    var name: String { Self.string(xmlTextReaderConstLocalName(reader)) ?? "" }
    /// The namespace of the name.
    var namespace: String { Self.string(xmlTextReaderConstNamespaceUri(reader)) ?? "" }
    /// The characters of a text.
    var value: String { Self.string(xmlTextReaderConstValue(reader)) ?? "" }
    /// Whether this start has no end to follow.
    var isEmpty: Bool { xmlTextReaderIsEmptyElement(reader) == 1 }

    /// An attribute without a namespace.
    subscript(attribute: String) -> String? {
        guard let value = xmlTextReaderGetAttribute(reader, attribute) else { return nil }
        // `xmlFree` is a variable that holds free(3), unless somebody replaced it.
        defer { free(value) }
        return Self.string(value)
    }

    private static func string(_ text: UnsafePointer<xmlChar>?) -> String? {
        text.map { String(cString: $0) }
    }
}

/// The elements of an XML file, in order, as libxml2's streaming reader meets them.
///
/// No entity is replaced, no DTD loaded, no address fetched. A document type declaration at all is refused: Office
/// Open XML forbids it (ECMA-376-2, 8.1.4), and it is the root of every known trick.
struct XMLElements {
    /// Elements inside each other.
    private static let depthMax = 200

    private let stream: InflatedPart

    init(_ stream: InflatedPart) {
        self.stream = stream
    }

    func forEach(_ visit: (XMLElement) throws(RecognitionFailure) -> Void) throws(RecognitionFailure) {
        let context = Unmanaged.passUnretained(stream).toOpaque()
        let options = Int32(XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue)
        let pull: xmlInputReadCallback = { context, buffer, count in
            guard let context else { return -1 }
            return Unmanaged<InflatedPart>.fromOpaque(context).takeUnretainedValue().read(buffer, count)
        }
        guard let reader = xmlReaderForIO(pull, nil, context, nil, nil, options) else {
            throw .unavailable("xmlReaderForIO")
        }
        defer { xmlFreeTextReader(reader) }
        var more = xmlTextReaderRead(reader)
        while more == 1 {
            try Self.visit(reader, visit)
            more = xmlTextReaderRead(reader)
        }
        guard more == 0 else {
            throw .unreadableFile(stream.isExhausted ? "The Word file is too large." : "The Word file is damaged.")
        }
    }

    private static func visit(
        _ reader: xmlTextReaderPtr, _ visit: (XMLElement) throws(RecognitionFailure) -> Void
    ) throws(RecognitionFailure) {
        guard xmlTextReaderDepth(reader) <= depthMax else { throw .unreadableFile("The Word file is damaged.") }
        switch UInt32(xmlTextReaderNodeType(reader)) {
        case XML_READER_TYPE_ELEMENT.rawValue: try visit(XMLElement(kind: .start, reader: reader))
        case XML_READER_TYPE_END_ELEMENT.rawValue: try visit(XMLElement(kind: .end, reader: reader))
        case XML_READER_TYPE_TEXT.rawValue, XML_READER_TYPE_CDATA.rawValue,
            XML_READER_TYPE_SIGNIFICANT_WHITESPACE.rawValue, XML_READER_TYPE_WHITESPACE.rawValue:
            try visit(XMLElement(kind: .text, reader: reader))
        case XML_READER_TYPE_DOCUMENT_TYPE.rawValue: throw .unreadableFile("The Word file is damaged.")
        default: return
        }
    }
}
