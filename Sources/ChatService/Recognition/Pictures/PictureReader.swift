import CLeptonica

/// Reads the text of one picture.
struct PictureReader {
    /// Mean confidence below it is a sign that the page stands on its head: such pages reach 30 to 45, noise 60.
    private static let doubtful = 60.0

    let engine: TesseractEngine

    /// The text of a picture that is upright as far as its file says; empty if there is none.
    func text(of picture: consuming Picture) throws(RecognitionFailure) -> String {
        try text(ofPrepared: PicturePreparation.prepare(picture).picture)
    }

    /// The text of a picture as it is.
    func text(ofPrepared picture: borrowing Picture) throws(RecognitionFailure) -> String {
        var reading = try read(picture)
        if reading.confidence < Self.doubtful, !reading.lines.isEmpty {
            guard let turned = Picture(pixRotate180(nil, picture.pix)) else { return text(reading) }
            let other = try read(turned)
            if other.confidence > reading.confidence { reading = other }
        }
        return text(reading)
    }

    private func read(_ picture: borrowing Picture) throws(RecognitionFailure) -> PageReading {
        guard let reading = engine.read(picture, pixelsPerInch: PicturePreparation.pixelsPerInch) else {
            throw .unreadableFile("The picture cannot be recognised.")
        }
        return reading
    }

    private func text(_ reading: PageReading) -> String {
        PageText(PageReading(lines: reading.lines.map(LookalikeRepair.repaired)).text).normalized
    }
}
