import CLeptonica

/// What is light, what is dark, and what is noise in a picture in shades of grey.
struct GrayTones {
    /// Grain above it is worth smoothing. Scans have 1 to 4, strong JPEG compression 5, a phone in the dark above 10.
    static let grainMax = 9.0
    /// Of all pixels. Print on paper, however sharp, has next to no single dot.
    static let specklesMax = 0.002
    /// Levels of grey between the lighter and the darker parts of the paper.
    static let lightRangeMax = 36.0
    /// The side of the squares in which print and paper are compared, pixels of the reduced picture: some letters.
    private static let square = 24
    /// Squares with less contrast, levels of grey, are empty.
    private static let contrastMin = 24
    /// Pixels a measurement looks at, at the most.
    private static let smallPixels = 600_000

    /// Whether print is lighter than paper.
    let isInverted: Bool
    /// Between the 5 % darkest and the 5 % lightest places of the paper, levels of grey.
    let lightRange: Double
    /// The standard deviation of the noise, levels of grey.
    let grain: Double
    /// The share of single pixels far from all of their neighbours.
    let speckles: Double

    init?(of picture: borrowing Picture) {
        guard let small = picture.reduced(toPixels: Self.smallPixels) else { return nil }
        isInverted = Self.isInverted(small)
        lightRange = PaperLight.range(small, isInverted: isInverted)
        (grain, speckles) = Self.noise(picture)
    }

    /// Print covers less of its surroundings than paper does, in any light: where there is contrast, the mean of a
    /// small square lies on the paper's side of the middle between its darkest and lightest pixels.
    private static func isInverted(_ small: borrowing Picture) -> Bool {
        let rows = GrayRows(small)
        var balance = 0
        for top in stride(from: 0, through: small.height - square, by: square) {
            for left in stride(from: 0, through: small.width - square, by: square) {
                var sum = 0
                var darkest = 255
                var lightest = 0
                for y in top..<(top + square) {
                    for x in left..<(left + square) {
                        let level = rows[x, y]
                        sum += level
                        darkest = min(darkest, level)
                        lightest = max(lightest, level)
                    }
                }
                guard lightest - darkest > contrastMin else { continue }
                balance += (2 * sum > (darkest + lightest) * square * square) ? 1 : -1
            }
        }
        return balance < 0
    }

    /// Grain: the median second difference along rows, which print and edges do not move (for white noise it is
    /// 0.6745 x sqrt(6) standard deviations). Speckles: pixels far above or far below all eight neighbours.
    private static func noise(_ picture: borrowing Picture) -> (grain: Double, speckles: Double) {
        let rows = GrayRows(picture)
        let step = max(picture.height / 200, 1)
        var differences = [Int](repeating: 0, count: 511 * 2)
        var speckles = 0
        var total = 0
        for y in stride(from: 1, to: picture.height - 1, by: step) {
            for x in 1..<max(picture.width - 1, 1) {
                let here = rows[x, y], left = rows[x - 1, y], right = rows[x + 1, y]
                differences[abs(2 * here - left - right)] += 1
                total += 1
                if abs(2 * here - left - right) > 100, rows.isAlone(x, y) { speckles += 1 }
            }
        }
        guard total > 0 else { return (0, 0) }
        var below = 0
        let median = differences.firstIndex { count in
            below += count
            return below * 2 >= total
        }
        return (Double(median ?? 0) / (0.6745 * 6.0.squareRoot()), Double(speckles) / Double(total))
    }
}

/// The pixels of a picture of 8 bits, where they are. Leptonica keeps each row in 32-bit words, first pixel highest.
struct GrayRows {
    private let bytes: UnsafePointer<UInt8>
    private let stride: Int

    /// - Parameter picture: has to stay as long as this is used.
    init(_ picture: borrowing Picture) {
        stride = Int(pixGetWpl(picture.pix)) * 4
        bytes = UnsafeRawPointer(pixGetData(picture.pix)!).assumingMemoryBound(to: UInt8.self)
    }

    subscript(x: Int, y: Int) -> Int { Int(bytes[y * stride + (x ^ 3)]) }

    /// Whether a pixel is much lighter, or much darker, than every one of its eight neighbours.
    func isAlone(_ x: Int, _ y: Int) -> Bool {
        var lightest = 0
        var darkest = 255
        for row in (y - 1)...(y + 1) {
            for column in (x - 1)...(x + 1) where row != y || column != x {
                lightest = max(lightest, self[column, row])
                darkest = min(darkest, self[column, row])
            }
        }
        return self[x, y] > lightest + 50 || self[x, y] < darkest - 50
    }
}

/// Black and white on a picture of one bit a pixel.
struct BinaryTones {
    /// Whether most of the picture is black: print covers a tenth of a page.
    let isInverted: Bool

    init(of picture: borrowing Picture) {
        var fraction: Float = 0
        pixForegroundFraction(picture.pix, &fraction)
        isInverted = fraction > 0.5
    }
}

extension Picture {
    /// A copy with about so many pixels, or as many as there are.
    borrowing func reduced(toPixels pixels: Int) -> Picture? {
        var factor = 1
        while width * height / (factor * factor) > pixels { factor *= 2 }
        guard factor > 1 else { return Picture(pixClone(pix)) }
        return Picture(pixScaleAreaMap(pix, 1 / Float(factor), 1 / Float(factor)))
    }
}
