/// The first frame of a GIF file (GIF89a specification, sections 17 to 27), found without decoding it.
///
/// giflib decodes every frame of a file before it hands out the first, so a thousand large frames in a few kilobytes
/// would be a bomb. The decoder is only ever shown a file that ends after one.
struct GIFFrame {
    /// Of the frame or of the screen it is put on, whichever is larger.
    let size: PictureSize
    private let bytes: UnsafeRawBufferPointer
    private let end: Int

    /// Finds the frame; nil if the blocks in front of it, or its own, do not fit the file.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 13 else { return nil }
        var at = 13 + Self.paletteBytes(bytes[10])
        while at < bytes.count, bytes[at] == 0x21 {
            guard let next = Self.pastSubBlocks(bytes, at + 2) else { return nil }
            at = next
        }
        guard at + 10 < bytes.count, bytes[at] == 0x2c else { return nil }
        let screen = (Self.number(bytes, 6), Self.number(bytes, 8))
        let frame = (Self.number(bytes, at + 5), Self.number(bytes, at + 7))
        // The byte after the palette is the LZW code size.
        let data = at + 10 + Self.paletteBytes(bytes[at + 9]) + 1
        self.bytes = bytes
        size = PictureSize(width: max(screen.0, frame.0), height: max(screen.1, frame.1))
        // A frame cut short is shown to the decoder as it is.
        end = Self.pastSubBlocks(bytes, data) ?? bytes.count
    }

    /// A GIF file of this frame alone.
    var alone: [UInt8] {
        var alone = [UInt8](bytes[..<end])
        alone.append(0x3b)
        return alone
    }

    private static func paletteBytes(_ flags: UInt8) -> Int {
        flags & 0x80 == 0 ? 0 : 3 << (Int(flags & 7) + 1)
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Int {
        Int(bytes[at]) | Int(bytes[at + 1]) << 8
    }

    /// The place behind a chain of sub-blocks, each a length and as many bytes, the last of length 0.
    private static func pastSubBlocks(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int? {
        var at = start
        while at < bytes.count {
            let length = Int(bytes[at])
            at += 1 + length
            if length == 0 { return at }
        }
        return nil
    }
}
