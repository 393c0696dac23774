import HTTPTypes
import Shared
import TestSupport
import Testing

@testable import ChatService

/// What a key is, what a payload is, and what becomes of a first answer.
@Suite("Idempotency keys")
struct IdempotencyKeyTests {
    @Test(arguments: ["a", "7f9c-0b", "\"quoted\"", "!~", String(repeating: "k", count: 255)])
    func aKeyOfVisibleCharactersIsTaken(_ text: String) throws {
        #expect(try IdempotencyMark([.idempotencyKey: text], call: .chat, userID: 1)?.text == text)
    }

    @Test(arguments: ["", "a b", "a\tb", "ключ", String(repeating: "k", count: 256)])
    func anyOtherIsRefused(_ text: String) {
        #expect { try IdempotencyMark([.idempotencyKey: text], call: .chat, userID: 1) } throws: {
            ($0 as? Problem)?.code == .invalidIdempotencyKey
        }
    }

    @Test func twoKeysAreRefusedAndNoneIsNone() throws {
        var headers: HTTPFields = [:]
        #expect(try IdempotencyMark(headers, call: .chat, userID: 1) == nil)
        headers.append(HTTPField(name: .idempotencyKey, value: "a"))
        headers.append(HTTPField(name: .idempotencyKey, value: "a"))
        #expect(throws: Problem.self) { try IdempotencyMark(headers, call: .chat, userID: 1) }
    }

    @Test func differentPayloadsHaveDifferentFingerprints() {
        let payloads: [[[UInt8]?]] = [[], [nil], [[]], [[1]], [[1], [2]], [[1, 2]], [[], [1, 2]], [[1, 2], []]]
        let prints = payloads.map { PayloadFingerprint($0).bytes }
        #expect(Set(prints).count == payloads.count)
        #expect(prints.allSatisfy { $0.count == 32 })
    }

    @Test func aFormAndADocumentOfOneMeaningAreOnePayload() throws {
        let fields = QuestionFields(domains: .embedded)
        var document = try BodyFields(json: .init(string: #"{"message":"Hi","x":1,"conversation_id":7}"#))
        var form = BodyFields(form: ["conversation_id": "7", "message": "Hi", "domain": ""])
        var other = BodyFields(form: ["conversation_id": "8", "message": "Hi"])
        let print = try fields.draft(from: &document).payload
        #expect(try fields.draft(from: &form).payload == print)
        #expect(try fields.draft(from: &other).payload != print)
    }

    @Test func aFileCountsByItsNameAndItsBytes() {
        func payload(_ name: String, _ hash: UInt8) -> PayloadFingerprint {
            let file = SpooledFile(path: "anywhere", name: name, size: 1, type: .text, sha256: [hash])
            return QuestionDraft(conversationID: 1, message: "", domain: "", files: [file]).payload
        }
        #expect(payload("a.txt", 1) == payload("a.txt", 1))
        #expect(payload("a.txt", 1) != payload("a.txt", 2))
        #expect(payload("a.txt", 1) != payload("b.txt", 1))
    }

    @Test func aStoredProblemIsTheSameAgain() throws {
        let problem = Problem(.emptyMessage, detail: "Say \"something\".", errors: [.init("message", "is empty")])
        let again = try #require(Problem(stored: Array(problem.body(requestID: "first").readableBytesView)))
        #expect(again.body(requestID: "second") == problem.body(requestID: "second"))
        #expect(Problem(stored: Array(#"{"conversation_id":1}"#.utf8)) == nil)
    }

    @Test func aRefusalThatIsFinalIsKeptAndOneThatIsNotFreesTheKey() async throws {
        try await ChatFixture.with { fixture in
            let keys = IdempotentAnswer(database: fixture.database)
            func ask(_ text: String, _ problem: Problem) async throws -> ProblemCode? {
                let mark = try #require(
                    try IdempotencyMark([.idempotencyKey: text], call: .chat, userID: fixture.userID))
                do {
                    try await keys.once(mark.key(for: PayloadFingerprint([]))) { _ in
                    } first: {
                        throw problem
                    }
                    return nil
                } catch let problem as Problem {
                    return problem.code
                }
            }
            var answer: ProblemCode?
            for code in [ProblemCode.emptyMessage, .conversationNotFound] {
                answer = try await ask(code.rawValue, Problem(code))
                #expect(answer == code)
                answer = try await ask(code.rawValue, Problem(.llmFailed))
                #expect(answer == code, "the first answer again")
            }
            for code in [ProblemCode.tooManyJobs, .queueFull, .storageFull, .databaseUnavailable, .internalError] {
                answer = try await ask(code.rawValue, Problem(code))
                #expect(answer == code)
                answer = try await ask(code.rawValue, Problem(.llmFailed))
                #expect(answer == .llmFailed, "the key was free")
            }
        }
    }
}
