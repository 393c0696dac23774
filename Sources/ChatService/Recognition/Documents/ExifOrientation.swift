import CLeptonica

/// How a camera was held: the tag `Orientation` (274) of Exif 2.32, 4.6.4.
enum ExifOrientation: UInt16, CaseIterable, Sendable {
    case upright = 1
    case mirrored, upsideDown, mirroredUpsideDown, mirroredLeft, right, mirroredRight, left

    /// Reads the tag of a JPEG (APP1), PNG (`eXIf`) or WebP (`EXIF`) file; upright if there is none.
    init(in bytes: UnsafeRawBufferPointer, _ type: DocumentType) {
        let block: UnsafeRawBufferPointer? =
            switch type {
            case .jpeg: Self.jpegBlock(bytes)
            case .png: Self.chunk(bytes, from: 8, named: "eXIf", .png)
            case .webp: Self.chunk(bytes, from: 12, named: "EXIF", .webp)
            default: nil
            }
        let tag = block.flatMap { TIFFDirectory(first: $0)?.value(of: 274) }
        self = tag.flatMap { Self(rawValue: UInt16(truncatingIfNeeded: $0)) } ?? .upright
    }

    /// The picture as it was seen.
    func applied(to picture: consuming Picture) -> Picture? {
        let pix = picture.pix
        switch self {
        case .upright: return picture
        case .mirrored: return Picture(pixFlipLR(nil, pix))
        case .upsideDown: return Picture(pixRotate180(nil, pix))
        case .mirroredUpsideDown: return Picture(pixFlipTB(nil, pix))
        case .mirroredLeft: return Picture(pixRotate90(pix, 1))?.flipped()
        case .right: return Picture(pixRotate90(pix, 1))
        case .mirroredRight: return Picture(pixRotate90(pix, -1))?.flipped()
        case .left: return Picture(pixRotate90(pix, -1))
        }
    }

    /// The Exif block of the first APP1 segment that has one; segments end where the picture starts (SOS).
    private static func jpegBlock(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var at = 2
        while at + 4 <= bytes.count, bytes[at] == 0xff, bytes[at + 1] != 0xda {
            let length = Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
            let end = at + 2 + length
            guard length >= 2, end <= bytes.count else { return nil }
            if bytes[at + 1] == 0xe1, length >= 8, bytes[(at + 4)..<(at + 10)].elementsEqual("Exif\0\0".utf8) {
                return UnsafeRawBufferPointer(rebasing: bytes[(at + 10)..<end])
            }
            at = end
        }
        return nil
    }

    private enum Container { case png, webp }

    /// Walks the chunks of a PNG (length, name, data, CRC) or WebP (name, length, data padded to even).
    private static func chunk(
        _ bytes: UnsafeRawBufferPointer, from start: Int, named name: String, _ container: Container
    ) -> UnsafeRawBufferPointer? {
        var at = start
        while at + 8 <= bytes.count {
            let lengthAt = container == .png ? at : at + 4
            let nameAt = container == .png ? at + 4 : at
            let raw = bytes.loadUnaligned(fromByteOffset: lengthAt, as: UInt32.self)
            let length = Int(container == .png ? UInt32(bigEndian: raw) : UInt32(littleEndian: raw))
            guard at + 8 + length <= bytes.count else { return nil }
            if bytes[nameAt..<(nameAt + 4)].elementsEqual(name.utf8) {
                return UnsafeRawBufferPointer(rebasing: bytes[(at + 8)..<(at + 8 + length)])
            }
            at += 8 + length + (container == .png ? 4 : length & 1)
        }
        return nil
    }
}

extension Picture {
    fileprivate consuming func flipped() -> Picture? {
        Picture(pixFlipLR(nil, pix))
    }
}
