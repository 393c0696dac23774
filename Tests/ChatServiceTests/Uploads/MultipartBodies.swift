import NIOCore

@testable import ChatService

/// One part as a client sends it; the oracle of the parser's tests.
struct SentPart: Equatable {
    var name: String
    var fileName: String?
    var bytes: [UInt8]

    init(_ name: String, fileName: String? = nil, _ text: String) {
        self.init(name, fileName: fileName, bytes: Array(text.utf8))
    }

    init(_ name: String, fileName: String? = nil, bytes: [UInt8]) {
        self.name = name
        self.fileName = fileName
        self.bytes = bytes
    }
}

/// Writes the parts as RFC 7578 says.
func multipartBody(_ parts: [SentPart], boundary: String) -> [UInt8] {
    var body: [UInt8] = []
    for part in parts {
        let file = part.fileName.map { "; filename=\"\($0)\"\r\nContent-Type: application/octet-stream" } ?? ""
        body += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(part.name)\"\(file)\r\n\r\n".utf8)
        body += part.bytes + Array("\r\n".utf8)
    }
    return body + Array("--\(boundary)--\r\n".utf8)
}

/// What the parser made of a body that was cut into pieces.
struct ParsedBody: Equatable {
    var parts: [SentPart] = []
    var isFinished = false
    var largestBuffer = 0

    static func == (left: ParsedBody, right: ParsedBody) -> Bool {
        left.parts == right.parts && left.isFinished == right.isFinished
    }

    init(
        _ pieces: some Sequence<ArraySlice<UInt8>>, boundary: String, limits: MultipartParser.Limits = .init()
    ) throws(MultipartFailure) {
        var parser = try MultipartParser(boundary: boundary, limits: limits)
        for piece in pieces {
            parser.append(ByteBuffer(bytes: piece))
            while let event = try parser.next() { take(event) }
            largestBuffer = max(largestBuffer, parser.bufferedBytes)
        }
        try parser.finish()
    }

    init(_ body: [UInt8], boundary: String, limits: MultipartParser.Limits = .init()) throws(MultipartFailure) {
        try self.init([body[...]], boundary: boundary, limits: limits)
    }

    private mutating func take(_ event: MultipartEvent) {
        switch event {
        case .partBegan(let headers): parts.append(SentPart(headers.name, fileName: headers.fileName, bytes: []))
        case .partBytes(let bytes): parts[parts.count - 1].bytes += Array(bytes.readableBytesView)
        case .partEnded: break
        case .finished: isFinished = true
        }
    }
}

/// A small generator that repeats its numbers for a seed (SplitMix64, Steele et al. 2014).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Cuts bytes into pieces of random lengths, some of them empty.
func cut(_ bytes: [UInt8], longest: Int, using random: inout SeededGenerator) -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        pieces.append(rest.prefix(Int.random(in: 0...longest, using: &random)))
        rest = rest.dropFirst(pieces[pieces.count - 1].count)
    }
    return pieces
}
