import Foundation
import Shared
import Synchronization
import TestSupport
import Testing

/// The problem codes that a test has met, each checked for the form that the contract gives problems.
final class SeenProblems: Sendable {
    private let seen = Mutex<Set<String>>([])

    var codes: Set<String> { seen.withLock { $0 } }

    /// Notes an answer that must be this problem.
    func expect(_ code: ProblemCode, _ reply: Reply, location: SourceLocation = #_sourceLocation) {
        #expect(reply.code == code.rawValue, "\(reply)", sourceLocation: location)
        guard reply.code == code.rawValue else { return }
        #expect(reply.status == code.status, sourceLocation: location)
        #expect(reply.json["status"].int == code.status, sourceLocation: location)
        #expect(reply.json["type"].string == code.type, sourceLocation: location)
        #expect(reply.json["title"].string == code.title, sourceLocation: location)
        #expect(reply.json["detail"].string?.isEmpty == false, sourceLocation: location)
        #expect(reply.json["request_id"].string == reply.headers.first(name: "X-Request-Id"), sourceLocation: location)
        #expect(reply.headers.first(name: "Content-Type") == "application/problem+json", sourceLocation: location)
        if code.status == 429 || code.status == 503 {
            let seconds = reply.headers.first(name: "Retry-After").flatMap { Int($0) }
            #expect(seconds != nil, "Retry-After of \(code)", sourceLocation: location)
        }
        seen.withLock { _ = $0.insert(code.rawValue) }
    }

    /// Notes how a message of a file ended.
    func expect(_ code: ProblemCode, failed message: JSON, location: SourceLocation = #_sourceLocation) {
        #expect(message["status"] == "failed", "\(message)", sourceLocation: location)
        #expect(message["error"]["code"].string == code.rawValue, "\(message)", sourceLocation: location)
        if let code = message["error"]["code"].string { seen.withLock { _ = $0.insert(code) } }
    }
}
