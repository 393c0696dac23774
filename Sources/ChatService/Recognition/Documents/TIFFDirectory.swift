/// One directory of a TIFF file (TIFF 6.0, section 2; BigTIFF's wider fields too), read without decoding anything.
struct TIFFDirectory {
    private let bytes: UnsafeRawBufferPointer
    private let format: Format
    private let offset: Int
    private let entries: Int

    /// Byte order and field widths of a file.
    private struct Format {
        let isBigEndian: Bool
        let isBig: Bool

        init?(_ bytes: UnsafeRawBufferPointer) {
            guard bytes.count >= 8 else { return nil }
            switch (bytes[0], bytes[1]) {
            case (0x49, 0x49): isBigEndian = false
            case (0x4d, 0x4d): isBigEndian = true
            default: return nil
            }
            let version = bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
            switch isBigEndian ? UInt16(bigEndian: version) : version {
            case 42: isBig = false
            case 43: isBig = true
            default: return nil
            }
        }

        var countBytes: Int { isBig ? 8 : 2 }
        var entryBytes: Int { isBig ? 20 : 12 }
        var offsetBytes: Int { isBig ? 8 : 4 }

        /// An unsigned number of `width` bytes, or nil if it is outside the file or above 2^62.
        func number(_ bytes: UnsafeRawBufferPointer, at offset: Int, width: Int) -> Int? {
            guard offset >= 0, offset <= bytes.count - width else { return nil }
            var value: UInt64 = 0
            for index in 0..<width {
                let byte = UInt64(bytes[offset + (isBigEndian ? index : width - 1 - index)])
                value = value << 8 | byte
            }
            return value < 1 << 62 ? Int(value) : nil
        }
    }

    /// The first directory of a file.
    init?(first bytes: UnsafeRawBufferPointer) {
        guard let format = Format(bytes),
            let offset = format.number(bytes, at: format.isBig ? 8 : 4, width: format.offsetBytes)
        else { return nil }
        self.init(bytes, format, offset)
    }

    private init?(_ bytes: UnsafeRawBufferPointer, _ format: Format, _ offset: Int) {
        guard offset > 0, let entries = format.number(bytes, at: offset, width: format.countBytes),
            entries > 0, entries <= 4096
        else { return nil }
        self.bytes = bytes
        self.format = format
        self.offset = offset
        self.entries = entries
    }

    /// The number a tag holds directly (types BYTE, SHORT, LONG and LONG8, one value).
    func value(of tag: Int) -> Int? {
        for index in 0..<entries {
            let at = offset + format.countBytes + index * format.entryBytes
            guard let found = format.number(bytes, at: at, width: 2) else { return nil }
            guard found == tag else { continue }
            let widths = [1: 1, 3: 2, 4: 4, 16: 8]
            guard let type = format.number(bytes, at: at + 2, width: 2), let width = widths[type] else { return nil }
            return format.number(bytes, at: at + (format.isBig ? 12 : 8), width: width)
        }
        return nil
    }

    /// The sides of this directory's picture.
    var size: PictureSize? {
        guard let width = value(of: 256), let height = value(of: 257) else { return nil }
        return PictureSize(width: width, height: height)
    }

    /// The directory after this one, or nil at the end of the chain.
    private var next: TIFFDirectory? {
        let at = offset + format.countBytes + entries * format.entryBytes
        guard let next = format.number(bytes, at: at, width: format.offsetBytes) else { return nil }
        return TIFFDirectory(bytes, format, next)
    }

    /// Follows the chain of directories; it may be a ring.
    /// - Parameter max: where counting stops, one past the limit being enough to refuse.
    static func chain(_ bytes: UnsafeRawBufferPointer, max: Int) -> [TIFFDirectory] {
        var chain: [TIFFDirectory] = []
        var seen: Set<Int> = []
        var current = TIFFDirectory(first: bytes)
        while let directory = current, chain.count < max, seen.insert(directory.offset).inserted {
            chain.append(directory)
            current = directory.next
        }
        return chain
    }
}
