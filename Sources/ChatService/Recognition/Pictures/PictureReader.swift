import CLeptonica
import CTesseract

/// Reads the text of one picture.
struct PictureReader {
    let engine: TesseractEngine

    func text(of picture: consuming Picture) throws(RecognitionFailure) -> String {
        guard let reading = engine.read(picture, pixelsPerInch: 300) else {
            throw .unreadableFile("The picture cannot be recognised.")
        }
        return PageText(reading.text).normalized
    }
}
