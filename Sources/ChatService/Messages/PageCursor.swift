import Shared

/// Where a keyset page ended: the position (time, id) of its last row, opaque to clients.
///
/// Sixteen bytes, big-endian, as base64url. A page after a cursor costs the same at any depth.
struct PageCursor: Sendable, Equatable {
    let time: Timestamp
    let id: Int

    /// The cursor as it stands in `next_cursor`.
    var text: String {
        Base64URL.encode(
            [time.microseconds, Int64(id)].flatMap { value in withUnsafeBytes(of: value.bigEndian, Array.init) })
    }

    init(time: Timestamp, id: Int) {
        self.time = time
        self.id = id
    }

    /// Reads a cursor that a client sent back; throws `invalid_cursor` for anything that this type does not write.
    init(_ text: some StringProtocol) throws(Problem) {
        guard let bytes = Base64URL.decode(text.utf8), bytes.count == 16 else { throw Problem(.invalidCursor) }
        let values = bytes.withUnsafeBytes { bytes in
            [0, 8].map { Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: $0, as: Int64.self)) }
        }
        // timestamptz begins at 4713 BC and, counted from 2000 in 64 bits, ends after the last value that fits here.
        guard values[1] > 0, values[0] > -210_866_803_200_000_000 else { throw Problem(.invalidCursor) }
        self.init(time: Timestamp(microseconds: values[0]), id: Int(values[1]))
    }
}
