import HTTPTypes
import NIOCore
import Shared
import Testing

@Suite("Problems")
struct ProblemTests {
    @Test("every code is snake_case, has an error status, a title and a sentence", arguments: ProblemCode.allCases)
    func catalogue(code: ProblemCode) {
        let isSnake = code.rawValue.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
        }
        #expect(isSnake)
        #expect((400...504).contains(code.status))
        #expect(!code.title.isEmpty && !code.detail.isEmpty)
        #expect(code.type == "urn:parley:problem:" + code.rawValue)
    }

    @Test("every 429 and 503 has an integer Retry-After, every 401 a challenge", arguments: ProblemCode.allCases)
    func headers(code: ProblemCode) {
        let response = Problem(code).response(requestID: "id")
        if code.status == 429 || code.status == 503 {
            #expect(response.headers[.retryAfter].flatMap { Int($0) } ?? 0 > 0)
        }
        #expect((response.headers[.wwwAuthenticate] == #"Bearer error="invalid_token""#) == (code.status == 401))
        #expect(response.headers[.contentType] == "application/problem+json")
        #expect(response.headers[.cacheControl] == "no-store")
        #expect(response.status.code == code.status)
    }

    @Test("the sentences that the contract fixes")
    func fixedSentences() {
        #expect(ProblemCode.emailTaken.detail == "email already exists")
        #expect(ProblemCode.invalidCredentials.detail == "invalid credentials")
    }

    @Test("the document has every member, errors and extensions in it")
    func document() throws {
        let problem = Problem(
            .llmFailed, detail: "No \"answer\".", errors: [.init("f", "d")], retryAfter: 7,
            extensions: ["user_message_id": .int(5)]
        )
        let expected =
            #"{"type":"urn:parley:problem:llm_failed","title":"Language model failed","status":502,"#
            + #""detail":"No \"answer\".","code":"llm_failed","request_id":"r-1","#
            + #""errors":[{"field":"f","detail":"d"}],"#
            + #""user_message_id":5}"#
        #expect(String(buffer: problem.body(requestID: "r-1")) == expected)
        #expect(problem.response(requestID: "r-1").headers[.retryAfter] == "7")
    }
}
