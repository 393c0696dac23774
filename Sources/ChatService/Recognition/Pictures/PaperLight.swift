import CLeptonica

/// The light on the paper behind the print.
enum PaperLight {
    /// Pixels of the picture a pixel of the map stands for.
    private static let reduction: Int32 = 8
    /// The square, in pixels of the map, that no letter fills: 120 pixels, a centimetre at 300 dpi.
    private static let square: Int32 = 15
    /// What the paper is made to be.
    private static let paper: Int32 = 220

    /// How unevenly a picture is lit: the difference of its lighter and darker paper, levels of grey.
    static func range(_ small: borrowing Picture, isInverted: Bool) -> Double {
        guard let upright = Picture(isInverted ? pixInvert(nil, small.pix) : pixClone(small.pix)),
            let paper = Picture(pixCloseGray(upright.pix, 31, 31))
        else { return 0 }
        var dark: UInt32 = 0
        var light: UInt32 = 0
        pixGetRankValue(paper.pix, 1, 0.05, &dark)
        pixGetRankValue(paper.pix, 1, 0.95, &light)
        return Double(light) - Double(dark)
    }

    /// The picture as if its paper had one shade; nil where leptonica cannot.
    static func evened(_ picture: borrowing Picture) -> UnsafeMutablePointer<Pix>? {
        pixBackgroundNormMorph(picture.pix, nil, reduction, square, paper)
    }
}
