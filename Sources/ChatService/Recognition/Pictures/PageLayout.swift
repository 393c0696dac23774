/// The blocks Tesseract found on a page before it read them.
struct PageLayout: Sendable {
    let blocks: [PixelBox]

    /// Whether a column of text was torn: the numbers of a list, standing under each other, taken for a column.
    ///
    /// Read apart from their lines, and without their neighbours, `1` to `9` become nonsense. A page where this is
    /// seen, and where no two real columns stand side by side, is better read as one column.
    var hasSplitColumn: Bool {
        guard let widest = blocks.map(\.width).max() else { return false }
        let narrow = blocks.filter { $0.width * 8 < widest && $0.height > 3 * $0.width }
        let wide = blocks.filter { $0.width * 8 >= widest }
        let isTorn = narrow.contains { number in wide.contains { number.isLeftOf($0) } }
        let hasColumns = wide.contains { left in wide.contains { left.isLeftOf($0) } }
        return isTorn && !hasColumns
    }
}

extension PixelBox {
    /// Whether most of this is at the height of `other`, and all of it to its left.
    fileprivate func isLeftOf(_ other: PixelBox) -> Bool {
        let shared = min(bottom, other.bottom) - max(top, other.top)
        return right <= other.left + other.width / 20 && shared * 2 > min(height, other.height)
    }
}
