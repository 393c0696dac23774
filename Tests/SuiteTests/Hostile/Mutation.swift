import Foundation

@testable import Chaos

/// One way to damage a file; a pure function of the seed.
enum Mutation: String, CaseIterable, Sendable {
    case bitsFlipped, cutShort, blockDoubled, blockRemoved, headerMaxed

    /// The damaged bytes; the first few, by which the type is told, may be among the damage.
    func applied(to file: Data, seed: UInt64) -> Data {
        var random = SeededRandom(seed: seed)
        var bytes = [UInt8](file)
        guard bytes.count > 16 else { return Data(bytes.map { ~$0 }) }
        switch self {
        case .bitsFlipped:
            for _ in 0..<(1 + bytes.count / 1500) {
                bytes[Int.random(in: 8..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
        case .cutShort: bytes.removeLast(Int.random(in: 1..<(bytes.count - 8), using: &random))
        case .blockDoubled:
            let block = Self.block(of: bytes, &random)
            bytes.insert(contentsOf: bytes[block], at: block.upperBound)
        case .blockRemoved: bytes.removeSubrange(Self.block(of: bytes, &random))
        case .headerMaxed:
            // Lengths, counts, sides and offsets are in the first bytes of most formats.
            let start = Int.random(in: 8..<min(bytes.count - 4, 72), using: &random)
            for index in start..<(start + 4) { bytes[index] = 0xFF }
        }
        return Data(bytes)
    }

    private static func block(of bytes: [UInt8], _ random: inout SeededRandom) -> Range<Int> {
        let start = Int.random(in: 8..<(bytes.count - 1), using: &random)
        return start..<min(bytes.count, start + Int.random(in: 1...4096, using: &random))
    }
}
