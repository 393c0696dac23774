import CXML
import CZip

/// The ZIP file around a Word document; its parts are inflated while they are read, never to disk.
final class WordPackage {
    /// Bytes of XML in all parts that are read, inflated. A novel has two million.
    private static let xmlBytesMax = 20 << 20

    private let archive: OpaquePointer
    private var bytesLeft = xmlBytesMax

    /// - Parameter bytes: have to stay as long as the package.
    init(_ bytes: UnsafeRawBufferPointer) throws(RecognitionFailure) {
        var error = zip_error_t()
        guard let source = zip_source_buffer_create(bytes.baseAddress, UInt64(bytes.count), 0, &error) else {
            throw .unavailable("zip_source_buffer_create")
        }
        guard let archive = zip_open_from_source(source, ZIP_RDONLY, &error) else {
            zip_source_free(source)
            throw .unreadableFile("The Word file is damaged.")
        }
        self.archive = archive
    }

    deinit { zip_discard(archive) }

    /// Reads one part, element by element.
    /// - Returns: false if there is no such part.
    func read(_ part: String, _ visit: (XMLElement) throws(RecognitionFailure) -> Void) throws(RecognitionFailure)
        -> Bool
    {
        var about = zip_stat_t()
        guard zip_stat(archive, part, 0, &about) == 0 else { return false }
        guard about.encryption_method == UInt16(ZIP_EM_NONE) else { throw .encryptedFile }
        guard let file = zip_fopen(archive, part, 0) else { throw .unreadableFile("The Word file is damaged.") }
        defer { zip_fclose(file) }
        let stream = InflatedPart(file, bytesMax: bytesLeft)
        defer { bytesLeft = stream.bytesLeft }
        try XMLElements(stream).forEach(visit)
        return true
    }

    /// The parts that `relations` names for a purpose, in its order: the last word of the relation's type.
    func target(of purpose: String, in relations: String) throws(RecognitionFailure) -> [String] {
        // "word/_rels/document.xml.rels" speaks of names relative to "word/".
        let folder = relations.split(separator: "/").dropLast(2).map { "\($0)/" }.joined()
        var targets: [String] = []
        _ = try read(relations) { element in
            guard element.kind == .start, element.name == "Relationship", element["TargetMode"] != "External",
                let type = element["Type"], type.hasSuffix("/\(purpose)"), let target = element["Target"]
            else { return }
            targets.append(target.hasPrefix("/") ? String(target.dropFirst()) : folder + target)
        }
        return targets
    }
}

/// One part of a package on its way through the inflater, as libxml2 pulls it.
final class InflatedPart {
    private let file: OpaquePointer
    private(set) var bytesLeft: Int

    init(_ file: OpaquePointer, bytesMax: Int) {
        self.file = file
        bytesLeft = bytesMax
    }

    /// Whether there was more than allowed.
    var isExhausted: Bool { bytesLeft <= 0 }

    /// Fills `buffer`; -1 on damage, or when the bound is reached.
    func read(_ buffer: UnsafeMutablePointer<CChar>?, _ count: Int32) -> Int32 {
        guard bytesLeft > 0 else { return -1 }
        let got = Int(zip_fread(file, buffer, UInt64(count)))
        bytesLeft -= max(got, 0)
        return Int32(got)
    }
}
