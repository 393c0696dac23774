import CLeptonica

/// What was done to a picture before it was recognised.
enum PreparationStep: Equatable, Sendable {
    /// White on black became black on white.
    case inverted
    /// Shadows and uneven light were taken out of the paper.
    case evenedLight
    /// Single black and white dots were removed.
    case despeckled
    /// Grain was smoothed.
    case smoothed
    /// Turned by quarters of a circle, clockwise, 1 to 3.
    case turned(quarters: Int)
    /// Turned by a few degrees, clockwise.
    case straightened(degrees: Double)
    /// Made larger or smaller.
    case scaled(by: Double)
}

/// A picture ready for Tesseract, and how it came to be so.
struct PreparedPicture: ~Copyable {
    var picture: Picture
    var steps: [PreparationStep] = []
}

/// Makes a picture easy to read. Every step is decided by a measurement, and a clean page passes through untouched.
///
/// The order matters: polarity is measured in a way that light cannot disturb; light comes before what needs a
/// threshold; grain before shapes; direction before skew; size last, once for all.
enum PicturePreparation {
    /// What Tesseract's filters are made for.
    static let pixelsPerInch = 300

    /// - Parameter picture: upright as far as the file says, 1 or 8 bits a pixel.
    static func prepare(_ picture: consuming Picture) -> PreparedPicture {
        var prepared = PreparedPicture(picture: picture)
        prepared.fixTones()
        prepared.fixGeometry()
        return prepared
    }
}

extension PreparedPicture {
    /// Replaces the picture; a step that leptonica could not do is left out.
    mutating func take(_ step: PreparationStep, _ pix: UnsafeMutablePointer<Pix>?) {
        guard let changed = Picture(pix) else { return }
        picture = changed
        steps.append(step)
    }

    mutating func fixTones() {
        if picture.depth == 1 {
            if BinaryTones(of: picture).isInverted { take(.inverted, pixInvert(nil, picture.pix)) }
            return
        }
        guard let tones = GrayTones(of: picture) else { return }
        if tones.isInverted { take(.inverted, pixInvert(nil, picture.pix)) }
        if tones.grain <= GrayTones.grainMax, tones.speckles > GrayTones.specklesMax {
            take(.despeckled, pixMedianFilter(picture.pix, 3, 3))
        }
        if tones.lightRange > GrayTones.lightRangeMax { take(.evenedLight, PaperLight.evened(picture)) }
        if tones.grain > GrayTones.grainMax { take(.smoothed, pixBlockconvGray(picture.pix, nil, 1, 1)) }
    }

    mutating func fixGeometry() {
        guard let shapes = TextShapes(of: picture) else { return }
        if shapes.isSideways {
            take(.turned(quarters: shapes.readsUpwards ? 1 : 3), pixRotate90(picture.pix, shapes.readsUpwards ? 1 : -1))
        }
        let factor = shapes.scale
        if factor != 1 { take(.scaled(by: factor), Self.scaled(picture, factor)) }
        if let degrees = shapes.skew { take(.straightened(degrees: degrees), Self.turned(picture, degrees)) }
    }

    private static func scaled(_ picture: borrowing Picture, _ factor: Double) -> UnsafeMutablePointer<Pix>? {
        if picture.depth == 1 { return pixScaleToGray(picture.pix, Float(factor)) }
        return factor < 1
            ? pixScaleAreaMap(picture.pix, Float(factor), Float(factor))
            : pixScaleGrayLI(picture.pix, Float(factor), Float(factor))
    }

    private static func turned(_ picture: borrowing Picture, _ degrees: Double) -> UnsafeMutablePointer<Pix>? {
        guard let gray = Picture(pixConvertTo8(picture.pix, 0)) else { return nil }
        return pixRotate(
            gray.pix, Float(degrees * .pi / 180), Int32(L_ROTATE_AREA_MAP), Int32(L_BRING_IN_WHITE),
            pixGetWidth(gray.pix), pixGetHeight(gray.pix))
    }
}
