/// A text or Markdown file: one page, taken as it is.
struct PlainTextDocument: ReadableDocument {
    let pageCount = 1
    private let file: DocumentFile

    init(_ file: DocumentFile) throws(RecognitionFailure) {
        self.file = file
    }

    func page(_ number: Int) throws(RecognitionFailure) -> RecognizedPage {
        let decoded = TextEncoding(of: file.bytes).decode(file.bytes)
        guard !Self.isBinary(decoded) else { throw .unreadableFile("The file is not text.") }
        return .text(PageText(decoded).cleaned)
    }

    /// Whether so many control characters occur (NUL aside, which text files are padded with) that this is no text.
    private static func isBinary(_ text: String) -> Bool {
        var controls = 0
        var total = 0
        for scalar in text.unicodeScalars {
            total += 1
            if scalar.value < 0x20, scalar.value > 0, !(0x08...0x0d).contains(scalar.value) { controls += 1 }
        }
        return controls * 10 > total
    }
}

/// How the bytes of a text file stand for characters: by its mark (BOM), else by evidence.
enum TextEncoding: Equatable, Sendable {
    case utf8, utf16LittleEndian, utf16BigEndian, windows1251

    /// Bytes in which evidence is looked for.
    private static let sampleBytes = 64 << 10

    init(of bytes: UnsafeRawBufferPointer) {
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { self = .utf8; return }
        if bytes.starts(with: [0xff, 0xfe]) { self = .utf16LittleEndian; return }
        if bytes.starts(with: [0xfe, 0xff]) { self = .utf16BigEndian; return }
        self = Self.unmarkedUTF16(bytes) ?? (Self.isUTF8(bytes) ? .utf8 : .windows1251)
    }

    /// The characters, without the mark.
    func decode(_ bytes: UnsafeRawBufferPointer) -> String {
        let text =
            switch self {
            case .utf8: String(decoding: bytes, as: UTF8.self)
            case .utf16LittleEndian: Self.utf16(bytes) { UInt16($0) | UInt16($1) << 8 }
            case .utf16BigEndian: Self.utf16(bytes) { UInt16($1) | UInt16($0) << 8 }
            case .windows1251: Self.windows1251(bytes)
            }
        return text.unicodeScalars.first == "\u{feff}" ? String(text.unicodeScalars.dropFirst()) : text
    }

    /// UTF-16 without a mark shows in its blanks and line ends: every 0 byte is on the same side of a pair.
    private static func unmarkedUTF16(_ bytes: UnsafeRawBufferPointer) -> TextEncoding? {
        guard bytes.count >= 4, bytes.count.isMultiple(of: 2) else { return nil }
        let sample = min(bytes.count, sampleBytes) & ~1
        var zeros = (even: 0, odd: 0)
        for index in stride(from: 0, to: sample, by: 2) {
            if bytes[index] == 0 { zeros.even += 1 }
            if bytes[index + 1] == 0 { zeros.odd += 1 }
        }
        let few = sample / 2 / 50
        if zeros.odd > few, zeros.even == 0 { return .utf16LittleEndian }
        if zeros.even > few, zeros.odd == 0 { return .utf16BigEndian }
        return nil
    }

    /// Whether the bytes are UTF-8, but for a damaged place here and there.
    private static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var valid = 0
        var invalid = 0
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): if scalar.value > 0x7f { valid += 1 }
            case .error: invalid += 1
            case .emptyInput: return invalid == 0 || valid > 20 * invalid
            }
        }
    }

    private static func utf16(_ bytes: UnsafeRawBufferPointer, _ unit: (UInt8, UInt8) -> UInt16) -> String {
        let units = stride(from: 0, to: bytes.count & ~1, by: 2).map { unit(bytes[$0], bytes[$0 + 1]) }
        return String(decoding: units, as: UTF16.self)
    }

    private static func windows1251(_ bytes: UnsafeRawBufferPointer) -> String {
        var scalars = String.UnicodeScalarView()
        for byte in bytes {
            scalars.append(byte < 0x80 ? Unicode.Scalar(byte) : windows1251Upper[Int(byte) - 0x80])
        }
        return String(scalars)
    }

    /// Bytes 0x80 to 0xff (unicode.org, MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1251.TXT); 0x98 is not assigned.
    private static let windows1251Upper: [Unicode.Scalar] = Array(
        ("ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u{fffd}™љ›њќћџ"
            + "\u{a0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{ad}®Ї°±Ііґµ¶·ё№є»јЅѕї"
            + "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя").unicodeScalars)
}
