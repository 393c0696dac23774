import CLeptonica

/// A leptonica picture, owned by one place at a time and freed there.
struct Picture: ~Copyable {
    let pix: UnsafeMutablePointer<Pix>

    /// Takes over `pix`; nil, leptonica's word for "failed", stays nil.
    init?(_ pix: UnsafeMutablePointer<Pix>?) {
        guard let pix else { return nil }
        self.pix = pix
    }

    deinit {
        var pix: UnsafeMutablePointer<Pix>? = pix
        pixDestroy(&pix)
    }

    var width: Int { Int(pixGetWidth(pix)) }
    var height: Int { Int(pixGetHeight(pix)) }
    /// Bits a pixel: 1, 2, 4, 8, 16 or 32.
    var depth: Int { Int(pixGetDepth(pix)) }
}
