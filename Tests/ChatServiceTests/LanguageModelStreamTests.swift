import Testing

@testable import ChatService

@Suite("Server-sent events")
struct LanguageModelEventParserTests {
    private typealias Event = ServerSentEventParser.Event

    private static let streams: [(String, [(String, String)])] = [
        ("data: a\n\ndata: b\n\n", [("", "a"), ("", "b")]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", [("", "a"), ("", "b")]),
        ("data: a\r\rdata: b\r\r", [("", "a"), ("", "b")]),
        ("data: a\r\n\rdata: b\n\r\n", [("", "a"), ("", "b")]),
        (": ping\n\n:\n\ndata: a\n: within\ndata: b\n\n", [("", "a\nb")]),
        ("\u{FEFF}data: a\n\n", [("", "a")]),
        ("data: \u{FEFF}a\n\n", [("", "\u{FEFF}a")]),
        ("data:a\n\ndata:  b\n\n", [("", "a"), ("", " b")]),
        ("data\n\ndata\ndata\n\n", [("", ""), ("", "\n")]),
        ("event: error\ndata: x\n\ndata: y\n\n", [("error", "x"), ("", "y")]),
        ("event: nothing\n\ndata: y\n\n", [("", "y")]),
        ("id: 7\nretry: 100\nunknown: z\ndata: y\n\n", [("", "y")]),
        ("data: Привет, 世界 👩‍👩‍👧‍👦\n\n", [("", "Привет, 世界 👩‍👩‍👧‍👦")]),
        ("data: last, no blank line", [("", "last, no blank line")]),
        ("data: last, one line end\r", [("", "last, one line end")]),
        ("\n\n\r\n\r", []), ("", []),
    ]

    @Test(arguments: streams.indices)
    func aStreamMeansTheSameWhereverItIsCut(index: Int) throws {
        let (text, expected) = Self.streams[index]
        let bytes = Array(text.utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let pieces = [bytes[..<first], bytes[first..<second], bytes[second...]]
                let events = try parse(pieces)
                try #require(events.map(\.name) == expected.map(\.0), "cut at \(first), \(second)")
                try #require(events.map { String(decoding: $0.data, as: UTF8.self) } == expected.map(\.1))
            }
        }
        #expect(try parse(bytes.map { [$0] }).count == expected.count)
    }

    @Test func aLineAndAnEventHaveABound() throws {
        var line = ServerSentEventParser(eventBytesMax: 100)
        #expect(throws: ServerSentEventParser.EventTooLong()) { try line.parse(Array(repeating: 0x61, count: 101)) }
        var event = ServerSentEventParser(eventBytesMax: 100)
        let lines = Array(String(repeating: "data: 123456789\n", count: 11).utf8)
        #expect(throws: ServerSentEventParser.EventTooLong()) { try event.parse(lines) }
        var comments = ServerSentEventParser(eventBytesMax: 100)
        #expect(try comments.parse(Array(String(repeating: ": ping\n\n", count: 10_000).utf8)).isEmpty)
    }

    private func parse(_ pieces: [some Collection<UInt8>]) throws -> [Event] {
        var parser = ServerSentEventParser(eventBytesMax: 1_000)
        var events: [Event] = []
        for piece in pieces { events += try parser.parse(piece) }
        if let last = try parser.finish() { events.append(last) }
        return events
    }
}

@Suite("Completion assembler")
struct LanguageModelAssemblerTests {
    private static let usual = """
        : processing\r\n\r
        data: {"model":"m","choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}\r
        \r
        data: {"model":"m","usage":{"prompt_tokens":1},"choices":[{"delta":{"content":"Привет, "}}]}\n
        data: {"choices":[]}

        data: {"choices":null}\n\ndata: {}\n\ndata: {"choices":[{"delta":null}]}\n\ndata: {"choices":[{}]}\n\n\
        data: {"choices":[{"delta":\ndata: {"content":"мир 👋🏽"}}]}

        data: {"choices":[{"delta":{"content":null},"finish_reason":"stop"}],"error":null}

        data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}\n\ndata: [DONE]\n\n
        """

    @Test func anAnswerIsTheSameWhereverItsBytesAreCut() throws {
        let bytes = Array(Self.usual.utf8)
        for cut in 0...bytes.count {
            let (assembler, text) = assemble([bytes[..<cut], bytes[cut...]])
            try #require(assembler.phase == .done, "cut at \(cut)")
            try #require(assembler.text == "Привет, мир 👋🏽" && text == assembler.text)
            try #require(assembler.usage == TokenUsage(promptTokens: 5, completionTokens: 2, totalTokens: 7))
            try #require(assembler.model == "m" && assembler.hasBegun)
        }
        let (assembler, text) = assemble(bytes.map { [$0] })
        #expect(assembler.phase == .done && text == "Привет, мир 👋🏽")
    }

    @Test(arguments: [
        (#"data: {"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}]}"#, CompletionAssembler.Phase.finished),
        (#"data: {"choices":[{"delta":{"content":"hi"}}]}\#n\#ndata: [DONE]"#, .done),
        (
            #"data: {"choices":[{"delta":{"content":"hi"},"finish_reason":"length"}]}\#n\#ndata: {"error":"late"}"#,
            .finished
        ),
        (#"{"choices":[{"message":{"content":"hi"}}]}"#, .done),
        (#" \#n{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#, .finished),
        (
            #"data: {"choices":[{"delta":{"content":[{"type":"thinking"},{"type":"text","text":"hi"}]}}]}\#n\#n"#
                + "data: [DONE]",
            .done
        ),
        (#"data: {"choices":[{"delta":{"refusal":"hi"},"finish_reason":"stop"}]}"#, .finished),
        (
            #"data: {"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"hi"}}]}\#n\#n"#
                + "data: [DONE]",
            .done
        ),
    ])
    func aFinishReasonOrDoneOrAWholeDocumentCompletesIt(body: String, phase: CompletionAssembler.Phase) {
        let (assembler, text) = assemble([Array(body.utf8)])
        #expect(assembler.phase == phase)
        #expect(assembler.isComplete)
        #expect(assembler.text == "hi" && text == "hi")
    }

    @Test(arguments: [
        (#"data: {"error":{"message":"boom","type":"server_error","code":500}}"#, "boom", "500", "server_error"),
        (#"data: {"error":{"message":"boom","code":"x"}}"#, "boom", "x", nil),
        (#"data: {"error":"boom"}"#, "boom", nil, nil),
        (#"data: {"object":"error","message":"boom","code":40301}"#, "boom", "40301", nil),
        (#"data: {"message":"boom","code":400,"type":"BadRequest"}"#, "boom", "400", "BadRequest"),
        (#"data: {"detail":"boom"}"#, "boom", nil, nil),
        ("event: error\ndata: boom", "boom", nil, nil),
        ("event: error\ndata: {\"error\":{\"message\":\"boom\"}}", "boom", nil, nil),
        (#"{"error":{"message":"boom"}}"#, "boom", nil, nil),
        (#"[{"error":{"message":"boom","code":429}}]"#, "boom", "429", nil),
    ])
    func anErrorInsideTheBodyIsFoundInAnyForm(body: String, message: String, code: String?, type: String?) {
        let first = body.hasPrefix("data") ? #"data: {"choices":[{"delta":{"content":"part"}}]}"# + "\n\n" : ""
        let (assembler, text) = assemble([Array((first + body).utf8)])
        #expect(assembler.phase == .broken(.server(ModelServerError(message: message, code: code, type: type))))
        #expect(assembler.text == text)
        #expect(text == (first.isEmpty ? "" : "part"))
    }

    @Test(arguments: [
        ("", AnswerFault.cutOff), ("\n: ping\n\n", .cutOff),
        (#"data: {"choices":[{"delta":{"content":"half an"}}]}"#, .cutOff),
        (#"{"choices":[]}"#, .cutOff), (#"{"choices":[{"message":{"content":"hi"}"#, .malformed),
        ("data: {\n\n", .malformed), ("data: 17\n\n", .malformed), ("<html></html>", .cutOff),
    ])
    func anEndWithoutAReasonOrSomethingUnreadableIsAFault(body: String, fault: AnswerFault) {
        #expect(assemble([Array(body.utf8)]).0.phase == .broken(fault))
    }

    @Test func thoughtsAreASignOfLifeButNoPartOfTheAnswer() {
        for name in ["reasoning_content", "reasoning"] {
            var assembler = CompletionAssembler()
            let thought = #"data: {"choices":[{"delta":{"\#(name)":"Hm."}}]}\#n\#n"#
            #expect(assembler.receive(Array(thought.utf8)) == "")
            #expect(assembler.hasBegun)
            let answer = #"data: {"choices":[{"delta":{"content":"Yes","\#(name)":""},"finish_reason":"stop"}]}\#n\#n"#
            #expect(assembler.receive(Array(answer.utf8)) == "Yes")
            #expect(assembler.text == "Yes")
        }
    }

    @Test func nulIsTakenOutAndTextAfterTheReasonIsIgnored() {
        let body = #"""
            data: {"choices":[{"delta":{"content":"a\u0000b"},"finish_reason":"stop"}]}

            data: {"choices":[{"delta":{"content":"c"}}],"usage":{"prompt_tokens":3}}


            """#
        let (assembler, _) = assemble([Array(body.utf8)])
        #expect(assembler.text == "ab")
        #expect(assembler.usage == TokenUsage(promptTokens: 3, completionTokens: 0, totalTokens: 3))
    }

    @Test func aRunawayAnswerIsStoppedAtItsBoundWithTheTextKept() {
        var assembler = CompletionAssembler()
        let piece = String(repeating: "x", count: 100_000)
        let event = Array(#"data: {"choices":[{"delta":{"content":"\#(piece)"}}]}\#n\#n"#.utf8)
        for _ in 0..<11 { _ = assembler.receive(event) }
        #expect(assembler.phase == .broken(.tooLong))
        #expect(assembler.text.utf8.count == 1_000_000)
    }

    @Test func anEndlessEventDocumentOrThoughtIsStoppedAtItsBound() {
        let piece = Array(repeating: UInt8(ascii: "x"), count: 1 << 20)
        for start in ["data: ", "{\"a\":\""] {
            var assembler = CompletionAssembler()
            _ = assembler.receive(Array(start.utf8))
            for _ in 0..<3 { _ = assembler.receive(piece) }
            #expect(assembler.phase == .broken(.tooLong))
        }
        var assembler = CompletionAssembler()
        let comment = Array((":" + String(repeating: "c", count: 1 << 20) + "\n").utf8)
        for _ in 0..<32 { _ = assembler.receive(comment) }
        #expect(assembler.phase == .broken(.tooLong))
    }

    private func assemble(_ pieces: [some Collection<UInt8>]) -> (CompletionAssembler, String) {
        var assembler = CompletionAssembler()
        var text = ""
        for piece in pieces { text += assembler.receive(piece) }
        text += assembler.end()
        return (assembler, text)
    }
}
