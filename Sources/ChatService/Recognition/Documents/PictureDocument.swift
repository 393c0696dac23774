import CLeptonica

/// A file with one picture: PNG, JPEG, WebP, BMP, or the first frame of a GIF.
struct PictureDocument: ReadableDocument {
    let pageCount = 1
    private let file: DocumentFile
    private let type: DocumentType
    private let engine: TesseractSlot

    /// Checks the picture's size by its header; nothing is decoded yet.
    init(_ file: DocumentFile, _ type: DocumentType, _ engine: TesseractSlot) throws(RecognitionFailure) {
        self.file = file
        self.type = type
        self.engine = engine
        try Self.size(of: file.bytes, type).check()
    }

    func page(_ number: Int) throws(RecognitionFailure) -> RecognizedPage {
        guard let picture = decoded()?.uprightGray(ExifOrientation(in: file.bytes, type)) else {
            throw .unreadableFile("The picture is damaged.")
        }
        return .text(try PictureReader(engine: try engine.warm()).text(of: picture))
    }

    private static func size(of bytes: UnsafeRawBufferPointer, _ type: DocumentType) throws(RecognitionFailure)
        -> PictureSize
    {
        if type == .gif {
            guard let gif = GIFFrame(bytes) else { throw .unreadableFile("The picture is damaged.") }
            return gif.size
        }
        var format: Int32 = 0, width: Int32 = 0, height: Int32 = 0
        let data = bytes.bindMemory(to: UInt8.self).baseAddress
        guard pixReadHeaderMem(data, bytes.count, &format, &width, &height, nil, nil, nil) == 0 else {
            throw .unreadableFile("The picture is damaged.")
        }
        return PictureSize(width: Int(width), height: Int(height))
    }

    private func decoded() -> Picture? {
        let data = file.bytes.bindMemory(to: UInt8.self).baseAddress
        switch type {
        case .jpeg:
            // The luminance alone: a third of the work and a quarter of the memory.
            return Picture(pixReadMemJpeg(data, file.bytes.count, 0, 1, nil, Int32(L_JPEG_READ_LUMINANCE)))
                ?? Picture(pixReadMem(data, file.bytes.count))
        case .gif:
            guard let frame = GIFFrame(file.bytes)?.alone else { return nil }
            return Picture(pixReadMemGif(frame, frame.count))
        default: return Picture(pixReadMem(data, file.bytes.count))
        }
    }
}

/// The sides of a picture, in pixels.
struct PictureSize: Equatable, Sendable {
    let width: Int
    let height: Int

    /// Refuses what is empty or larger than `DocumentLimits`.
    func check() throws(RecognitionFailure) {
        guard width > 0, height > 0 else { throw .unreadableFile("The picture is empty.") }
        guard width <= DocumentLimits.side, height <= DocumentLimits.side,
            width * height <= DocumentLimits.pixels
        else { throw .tooManyPixels }
    }
}

extension Picture {
    /// The picture in shades of grey (or black and white), transparent parts white, turned as its camera says.
    consuming func uprightGray(_ orientation: ExifOrientation = .upright) -> Picture? {
        guard let opaque = Picture(depth == 32 && pixGetSpp(pix) == 4 ? pixRemoveAlpha(pix) : pixClone(pix)) else {
            return nil
        }
        guard let gray = opaque.depth == 1 ? opaque.withoutPalette() : Picture(pixConvertTo8(opaque.pix, 0)) else {
            return nil
        }
        return orientation.applied(to: gray)
    }

    /// One bit a pixel, 1 meaning black; a palette may say otherwise.
    private consuming func withoutPalette() -> Picture? {
        guard pixGetColormap(pix) != nil else { return self }
        return Picture(pixRemoveColormap(pix, Int32(REMOVE_CMAP_TO_BINARY)))
    }
}
