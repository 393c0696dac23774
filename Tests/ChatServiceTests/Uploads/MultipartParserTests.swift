import Glibc
import NIOCore
import Testing

@testable import ChatService

@Suite struct MultipartParserTests {
    private let boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
    private let parts = [
        SentPart("conversation_id", "42"),
        SentPart("message", "what does it say?\r\n--\r\n"),
        SentPart("file", fileName: "scan.png", bytes: [0x89, 13, 10, 0, 13, 13, 10, 45, 45, 255]),
        SentPart("empty", ""),
        SentPart("file", fileName: "empty.txt", ""),
    ]

    @Test func aBodyInOnePieceIsRead() throws {
        let parsed = try ParsedBody(multipartBody(parts, boundary: boundary), boundary: boundary)
        #expect(parsed.parts == parts)
        #expect(parsed.isFinished)
    }

    @Test func aBodyCutAtAnyByteReadsTheSame() throws {
        let body = multipartBody(parts, boundary: boundary)
        for index in body.indices {
            let parsed = try ParsedBody([body[..<index], body[index...]], boundary: boundary)
            #expect(parsed.parts == parts, "cut at \(index)")
        }
    }

    @Test func aBodyInSingleBytesReadsTheSameAndKeepsLittle() throws {
        let body = multipartBody(parts, boundary: boundary)
        let parsed = try ParsedBody(body.indices.map { body[$0...$0] }, boundary: boundary)
        #expect(parsed.parts == parts)
        #expect(parsed.largestBuffer < 200)
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func randomBodiesOfAlmostDelimitersReadAsTheyWereSent(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let boundary = ["b", "-", "--", "ab", "aaaa", self.boundary][Int(seed) % 6]
        let sent = (0..<Int.random(in: 1...6, using: &random)).map { _ in
            SentPart("f", fileName: "x", bytes: almostDelimiters(boundary, using: &random))
        }
        let body = multipartBody(sent, boundary: boundary)
        for longest in [1, 7, 100, 5000] {
            let parsed = try ParsedBody(cut(body, longest: longest, using: &random), boundary: boundary)
            #expect(parsed.parts == sent)
            #expect(parsed.isFinished)
        }
    }

    /// Bytes rich in beginnings of the delimiter, without the delimiter itself (also not across the part's ends).
    private func almostDelimiters(_ boundary: String, using random: inout SeededGenerator) -> [UInt8] {
        let delimiter = Array("\r\n--\(boundary)".utf8)
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 0...200, using: &random) {
            bytes += delimiter.prefix(Int.random(in: 0..<delimiter.count, using: &random))
            if Bool.random(using: &random) { bytes.append([13, 10, 45, 0, 97, 98].randomElement(using: &random) ?? 0) }
            let tail = Array(bytes.suffix(2 * delimiter.count))
            if tail.firstRange(of: delimiter) != nil { bytes.removeLast(min(bytes.count, 2 * delimiter.count)) }
        }
        while (bytes + delimiter.prefix(delimiter.count - 1)).firstRange(of: delimiter) != nil { bytes.removeLast() }
        return bytes
    }

    @Test(arguments: 0..<3000 as Range<UInt64>)
    func damagedBodiesNeitherCrashNorFillTheBuffer(seed: UInt64) {
        var random = SeededGenerator(state: seed &* 7919)
        var body = multipartBody(parts, boundary: boundary)
        for _ in 0...Int.random(in: 0...4, using: &random) { damage(&body, using: &random) }
        do {
            let parsed = try ParsedBody(cut(body, longest: 64, using: &random), boundary: boundary)
            #expect(parsed.isFinished)
            #expect(parsed.largestBuffer <= 8 * 1024 + 128)
            let whole = try ParsedBody(body, boundary: boundary)
            #expect(whole == parsed)
        } catch {
            #expect(throws: MultipartFailure.self) { try ParsedBody(body, boundary: boundary) }
        }
    }

    private func damage(_ body: inout [UInt8], using random: inout SeededGenerator) {
        let place = Int.random(in: 0..<body.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: body[place] = UInt8.random(in: 0...255, using: &random)
        case 1: body.removeSubrange(place..<min(body.count, place + Int.random(in: 1...30, using: &random)))
        case 2: body.insert(contentsOf: body[place...].prefix(90), at: place)
        case 3: body.insert(contentsOf: Array("\r\n--\(boundary)".utf8), at: place)
        default: body.insert(contentsOf: repeatElement(13, count: 300), at: place)
        }
    }
}

@Suite struct MultipartLimitTests {
    @Test(arguments: [
        ("", MultipartFailure.endedEarly),
        ("--b", .endedEarly),
        ("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nhello", .endedEarly),
        ("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nhello\r\n--b\r\n", .endedEarly),
        ("--b\r\n\r\nno headers\r\n\r\n--b--", .badHeaders),
        ("--b\r\nContent-Type: text/plain\r\n\r\nno disposition\r\n--b--", .badDisposition),
        ("--b\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--b--", .badDisposition),
        ("--b\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--b--", .badDisposition),
        ("--b\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\nx\r\n--b--", .badDisposition),
        ("--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--b--", .badDisposition),
        (
            "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\nx\r\n--b--",
            .badDisposition
        ),
        (
            "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--b--",
            .transferEncoding
        ),
        ("--b\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\nfolded\r\n--b--", .badHeaders),
        ("--b\r\nContent-Disposition: form-data; name=a\nX: y\r\n\r\nbare line feed\r\n--b--", .badHeaders),
        ("--b\r\nno colon\r\n\r\nx\r\n--b--", .badHeaders),
        ("--b\r\n: empty\r\n\r\nx\r\n--b--", .badHeaders),
        ("--bc\r\nContent-Disposition: form-data; name=a\r\n\r\nlonger\r\n--b--", .badDelimiter),
        ("--b-\r\n", .badDelimiter),
        ("--b\n", .badDelimiter),
        ("--b" + String(repeating: " ", count: 65) + "\r\n", .badDelimiter),
    ])
    func malformedBodiesAreRefused(body: String, failure: MultipartFailure) {
        let bytes = Array(body.utf8)
        #expect(throws: failure) { try ParsedBody(bytes, boundary: "b") }
        #expect(throws: failure) { try ParsedBody(bytes.indices.map { bytes[$0...$0] }, boundary: "b") }
    }

    @Test func marginsAndPaddingAreSkippedWithinTheirBounds() throws {
        let part = "--b \t\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b--"
        let margin = String(repeating: "m", count: 8 * 1024 - 2)
        let accepted = try ParsedBody(Array("\(margin)\r\n\(part) \r\n\(margin.dropLast(8))".utf8), boundary: "b")
        #expect(accepted.parts == [SentPart("a", "x")])
        #expect(throws: MultipartFailure.longPreamble) {
            try ParsedBody(Array("\(margin)mmm\r\n\(part)".utf8), boundary: "b")
        }
        #expect(throws: MultipartFailure.longEpilogue) {
            try ParsedBody(Array("\(part)\r\n\(margin)mmm".utf8), boundary: "b")
        }
    }

    @Test func aBodyHasAtMostTwentyParts() throws {
        let parts = (0..<20).map { SentPart("f\($0)", "x") }
        #expect(try ParsedBody(multipartBody(parts, boundary: "b"), boundary: "b").parts == parts)
        let body = multipartBody(parts + [SentPart("one", "too many")], boundary: "b")
        #expect(throws: MultipartFailure.tooManyParts) { try ParsedBody(body, boundary: "b") }
    }

    @Test func aHeaderBlockIsBoundedInBytesAndLines() throws {
        func body(_ headers: String) -> [UInt8] {
            Array("--b\r\nContent-Disposition: form-data; name=a\r\n\(headers)\r\n\r\nx\r\n--b--".utf8)
        }
        let room = 8 * 1024 - "Content-Disposition: form-data; name=a\r\nX: ".utf8.count
        #expect(try ParsedBody(body("X: " + String(repeating: "v", count: room)), boundary: "b").parts.count == 1)
        for size in [room + 1, room + 100_000] {
            let long = body("X: " + String(repeating: "v", count: size))
            #expect(throws: MultipartFailure.longHeaders) { try ParsedBody(long, boundary: "b") }
        }
        let fifteen = Array(repeating: "X: y", count: 15)
        #expect(try ParsedBody(body(fifteen.joined(separator: "\r\n")), boundary: "b").parts.count == 1)
        let sixteen = body((fifteen + ["X: y"]).joined(separator: "\r\n"))
        #expect(throws: MultipartFailure.tooManyHeaders) { try ParsedBody(sixteen, boundary: "b") }
    }

    @Test func aHeaderBlockWithoutEndIsRefusedBeforeMoreIsKept() throws {
        var parser = try MultipartParser(boundary: "b")
        parser.append(ByteBuffer(string: "--b\r\n"))
        var largest = 0
        let failure = #expect(throws: MultipartFailure.self) {
            for _ in 0..<100_000 {
                parser.append(ByteBuffer(string: "a"))
                while try parser.next() != nil {}
                largest = max(largest, parser.bufferedBytes)
            }
        }
        #expect(failure == .longHeaders)
        #expect(largest <= 8 * 1024 + 4)
    }

    @Test(arguments: ["", "ends in blank ", "sémicolon", "semi;colon", "quote\"", String(repeating: "b", count: 71)])
    func aBoundaryOutsideTheGrammarIsRefused(boundary: String) {
        #expect(throws: MultipartFailure.badBoundary) { try MultipartParser(boundary: boundary) }
    }

    @Test(arguments: ["0", "'()+_,-./:=?", "a b", String(repeating: "b", count: 70)])
    func everyBoundaryOfTheGrammarWorks(boundary: String) throws {
        let parts = [SentPart("a", "x")]
        #expect(try ParsedBody(multipartBody(parts, boundary: boundary), boundary: boundary).parts == parts)
    }

    /// The mistake of CVE-2024-53981 was work (and a log line) for each line end around the delimiters: seconds for a
    /// body of this size. Measured in time of the processor, which a busy machine does not stretch.
    @Test(arguments: [[97], [13], [10], [13, 10], [13, 10, 45], [13, 10, 45, 45], [45]] as [[UInt8]])
    func floodsOfLineEndsCostNoMoreThanOtherBytes(pattern: [UInt8]) throws {
        var parser = try MultipartParser(boundary: "----WebKitFormBoundary7MA4YWxkTrZu0gW")
        parser.append(
            ByteBuffer(
                string: "------WebKitFormBoundary7MA4YWxkTrZu0gW\r\nContent-Disposition: form-data; name=a\r\n\r\n"))
        let piece = ByteBuffer(bytes: (0..<65536).map { pattern[$0 % pattern.count] })
        var bytes = 0
        let begin = processorNanoseconds()
        for _ in 0..<128 {
            parser.append(piece)
            while let event = try parser.next() {
                if case .partBytes(let slice) = event { bytes += slice.readableBytes }
            }
        }
        #expect(processorNanoseconds() - begin < 1_000_000_000)
        #expect(bytes + parser.bufferedBytes == 8 * 1024 * 1024)
    }
}

/// What the calling thread has used of a processor so far.
private func processorNanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}
