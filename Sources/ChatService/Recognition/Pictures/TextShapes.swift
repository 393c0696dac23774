import CLeptonica

/// The shapes on a page: which way its lines run, how crooked they are, how large its letters.
struct TextShapes {
    /// Fewer shapes than this are no text to measure.
    private static let lettersMin = 20
    /// The height of small letters that Tesseract reads best.
    private static let letterHeight = 24.0
    /// Letters below the first are enlarged, above the second reduced.
    private static let goodHeights = 11.0...48.0
    /// Degrees: less does not matter, more is not measured.
    private static let skews = 0.15...10.0

    /// Whether the lines run up or down the page.
    let isSideways: Bool
    /// Whether, on a page that lies sideways, a clockwise quarter puts it upright.
    let readsUpwards: Bool
    /// The factor that brings the letters to a good size, 1 for "leave it".
    let scale: Double
    /// The degrees, clockwise, by which the page has to be turned, once its lines run across; nil for "leave it".
    let skew: Double?

    /// Nil if there is no text to measure.
    init?(of picture: borrowing Picture) {
        guard let mask = picture.mask() else { return nil }
        guard let height = Self.letterHeight(mask) else { return nil }
        isSideways = Self.isSideways(mask, height)
        scale = Self.scale(height)
        guard let across = Picture(isSideways ? pixRotate90(mask.pix, 1) : pixClone(mask.pix)) else { return nil }
        skew = Self.skew(across)
        var up: Float = 0
        var left: Float = 0
        if isSideways { pixOrientDetect(across.pix, &up, &left, 0, 0) }
        readsUpwards = up >= 0
    }

    /// The median height of shapes that may be letters.
    private static func letterHeight(_ mask: borrowing Picture) -> Double? {
        var boxes = pixConnCompBB(mask.pix, 8)
        defer { boxaDestroy(&boxes) }
        guard let boxes else { return nil }
        var heights: [Int] = []
        for index in 0..<boxaGetCount(boxes) {
            var width: Int32 = 0
            var height: Int32 = 0
            boxaGetBoxGeometry(boxes, index, nil, nil, &width, &height)
            if height > 5, height < 400, width < 4 * height, height < 6 * width { heights.append(Int(height)) }
        }
        guard heights.count >= lettersMin else { return nil }
        heights.sort()
        return Double(heights[heights.count / 2])
    }

    /// Letters stand closer to each other than lines do: when shapes grow together along the lines, fewer are left.
    private static func isSideways(_ mask: borrowing Picture, _ height: Double) -> Bool {
        let reach = Int32(max(height * 0.6, 2))
        var across: Int32 = 0
        var down: Int32 = 0
        guard let rows = Picture(pixCloseSafeBrick(nil, mask.pix, reach, 1)),
            let columns = Picture(pixCloseSafeBrick(nil, mask.pix, 1, reach))
        else { return false }
        pixCountConnComp(rows.pix, 8, &across)
        pixCountConnComp(columns.pix, 8, &down)
        return Double(down) < 0.7 * Double(across)
    }

    private static func scale(_ height: Double) -> Double {
        goodHeights.contains(height) ? 1 : min(max(letterHeight / height, 0.25), 4)
    }

    private static func skew(_ mask: borrowing Picture) -> Double? {
        var angle: Float = 0
        var confidence: Float = 0
        let isLarge = mask.width * mask.height > 4_000_000
        let failed = pixFindSkewSweepAndSearch(
            mask.pix, &angle, &confidence, isLarge ? 4 : 2, isLarge ? 2 : 1, Float(skews.upperBound), 1, 0.01)
        guard failed == 0, confidence > 3, skews.contains(Double(abs(angle))) else { return nil }
        return Double(angle)
    }
}

extension Picture {
    /// Print as 1, paper as 0.
    fileprivate borrowing func mask() -> Picture? {
        if depth == 1 { return Picture(pixClone(pix)) }
        var histogram = pixGetGrayHistogram(pix, 4)
        defer { numaDestroy(&histogram) }
        var split: Int32 = 128
        numaSplitDistribution(histogram, 0.1, &split, nil, nil, nil, nil, nil)
        return Picture(pixThresholdToBinary(pix, split))
    }
}
