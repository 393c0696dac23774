import CLeptonica
import Foundation
import TestSupport

@testable import ChatService

/// A page as bad scanners and telephones deliver it, made from a clean one.
enum Wear: CaseIterable, Sendable {
    case skewed, skewedTheOtherWay, shadow, hardShadow, halfResolution, smallLetters, quarterLeft, quarterRight,
        upsideDown
    case inverted, speckled

    /// What preparation has to find out.
    var expected: PreparationStep? {
        switch self {
        case .skewed: .straightened(degrees: -4)
        case .skewedTheOtherWay: .straightened(degrees: 4)
        case .shadow, .hardShadow: .evenedLight
        case .inverted: .inverted
        case .speckled: .despeckled
        case .smallLetters: .scaled(by: 2.4)
        case .quarterLeft: .turned(quarters: 1)
        case .quarterRight: .turned(quarters: 3)
        // Letters of this size are read as they are; the other shows later, when the text makes no sense.
        case .halfResolution, .upsideDown: nil
        }
    }
}

/// Wears down the pictures of upright pages.
enum WornPage {
    /// Writes a worn page as a PNG file.
    static func write(_ fixture: Fixture, _ wear: Wear, to file: URL) -> Bool {
        guard let gray = fixture.grayPicture(), let worn = Picture(worn(gray, wear)) else { return false }
        return pixWrite(file.path, worn.pix, Int32(IFF_PNG)) == 0
    }

    /// What preparation does to a page, worn or as it is.
    static func steps(_ fixture: Fixture, _ wear: Wear? = nil) -> [PreparationStep]? {
        guard let gray = fixture.grayPicture() else { return nil }
        guard let wear else { return PicturePreparation.prepare(gray).steps }
        guard let worn = Picture(worn(gray, wear)) else { return nil }
        return PicturePreparation.prepare(worn).steps
    }

    /// The text of a worn page, without and with preparation.
    static func texts(_ fixture: Fixture, _ wear: Wear) throws -> (without: String, with: String)? {
        guard let gray = fixture.grayPicture(), let worn = Picture(worn(gray, wear)) else { return nil }
        let reader = PictureReader(engine: try TesseractEngine(languages: "rus+eng"))
        return (try reader.text(ofPrepared: worn), try reader.text(of: worn))
    }

    private static func worn(_ page: borrowing Picture, _ wear: Wear) -> UnsafeMutablePointer<Pix>? {
        switch wear {
        case .skewed: turned(page, degrees: 4)
        case .skewedTheOtherWay: turned(page, degrees: -4)
        case .shadow: shaded(page) { 1 - 0.65 / (1 + exp((0.55 - $0) * 12)) }
        case .hardShadow: shaded(page) { $0 < 0.5 ? 1 : 0.4 }
        case .halfResolution: pixScaleAreaMap(page.pix, 0.5, 0.5)
        case .smallLetters: pixScaleAreaMap(page.pix, 0.4, 0.4)
        case .quarterLeft: pixRotate90(page.pix, -1)
        case .quarterRight: pixRotate90(page.pix, 1)
        case .upsideDown: pixRotate180(nil, page.pix)
        case .inverted: pixInvert(nil, page.pix)
        case .speckled: speckled(page)
        }
    }

    private static func turned(_ page: borrowing Picture, degrees: Double) -> UnsafeMutablePointer<Pix>? {
        pixRotate(
            page.pix, Float(degrees * .pi / 180), Int32(L_ROTATE_AREA_MAP), Int32(L_BRING_IN_WHITE),
            pixGetWidth(page.pix), pixGetHeight(page.pix))
    }

    /// Darkens column by column: `light` says how much is left at 0 (left) to 1 (right).
    private static func shaded(_ page: borrowing Picture, _ light: (Double) -> Double) -> UnsafeMutablePointer<Pix>? {
        let shaded = pixCopy(nil, page.pix)
        let width = Int32(16)
        for left in stride(from: Int32(0), to: Int32(page.width), by: Int(width)) {
            var box = boxCreate(left, 0, width, Int32(page.height))
            defer { boxDestroy(&box) }
            guard let strip = Picture(pixClipRectangle(page.pix, box, nil)) else { return nil }
            pixMultConstantGray(strip.pix, Float(light(Double(left) / Double(page.width))))
            pixRasterop(
                shaded, left, 0, Int32(strip.width), Int32(strip.height), Int32(PIX_SRC), strip.pix, 0, 0)
        }
        return shaded
    }

    /// One pixel in a hundred black or white, always the same ones.
    private static func speckled(_ page: borrowing Picture) -> UnsafeMutablePointer<Pix>? {
        let speckled = pixCopy(nil, page.pix)
        var random = UInt64(1)
        for index in 0..<(page.width * page.height / 100) {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let place = Int(random >> 33) % (page.width * page.height)
            let (y, x) = place.quotientAndRemainder(dividingBy: page.width)
            pixSetPixel(speckled, Int32(x), Int32(y), index.isMultiple(of: 2) ? 0 : 255)
        }
        return speckled
    }
}

extension Fixture {
    /// The picture as the preparation gets it, in shades of grey.
    fileprivate func grayPicture() -> Picture? {
        guard let picture = Picture(pixRead(file.path))?.uprightGray() else { return nil }
        return Picture(pixConvertTo8(picture.pix, 0))
    }
}
