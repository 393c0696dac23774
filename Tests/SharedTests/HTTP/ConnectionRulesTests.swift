import NIOCore
import NIOHTTP1
import Testing

@testable import Shared

@Suite("Connection rules")
struct ConnectionRulesTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private var rules: ConnectionRules

    init() {
        rules = ConnectionRules(limits: HTTPLimits())
    }

    private func after(_ seconds: Int64) -> NIODeadline { start + .seconds(seconds) }

    @Test("a connection that says nothing has no deadline here")
    func idle() {
        #expect(rules.deadline == nil)
    }

    @Test("a header that does not end is refused")
    mutating func slowHeader() {
        rules.bytesArrived(start)
        rules.bytesArrived(after(14))
        #expect(rules.deadline == after(15))
        let outcome1 = rules.expiry(after(14))
        #expect(outcome1 == nil)
        let outcome2 = rules.expiry(after(15))
        #expect(outcome2 == .refuse)
        #expect(!rules.isReading)
    }

    @Test("a body earns time with its bytes, and time in which we do not ask costs nothing")
    mutating func slowBody() {
        rules.bytesArrived(start)
        rules.headArrived(contentLength: 1_000_000, awaitsContinue: false, isKeepAlive: true)
        #expect(rules.deadline == nil)
        rules.readRequested(after(100))
        #expect(rules.deadline == after(130))
        rules.bodyArrived(bytes: 8 * 1024, after(110))
        #expect(rules.deadline == nil)
        rules.readRequested(after(200))
        #expect(rules.deadline == after(200 + 30 - 10 + 2))
        let outcome3 = rules.expiry(after(222))
        #expect(outcome3 == .failBody)
    }

    @Test("a body that drips in byte by byte comes to an end")
    mutating func drip() {
        rules.headArrived(contentLength: 1_000_000, awaitsContinue: false, isKeepAlive: true)
        var now = start
        var expiry: ConnectionRules.Expiry?
        for _ in 0..<100 where expiry == nil {
            rules.readRequested(now)
            now = now + .seconds(1)
            expiry = rules.expiry(now)
            rules.bodyArrived(bytes: 1, now)
        }
        #expect(expiry == .failBody)
        #expect(now - start <= .seconds(31))
    }

    @Test("an answer to a large body that was not read is the last one")
    mutating func unreadBody() {
        rules.headArrived(contentLength: 50_000_000, awaitsContinue: false, isKeepAlive: true)
        let says = rules.answerBegins(saysClose: false)
        let closes = rules.answerEnded()
        #expect(says && closes)
    }

    @Test("an answer to a small body that was not read keeps the connection")
    mutating func smallUnreadBody() {
        rules.headArrived(contentLength: 100, awaitsContinue: false, isKeepAlive: true)
        let says = rules.answerBegins(saysClose: false)
        let closes = rules.answerEnded()
        #expect(!says && !closes)
    }

    @Test("a client that waits for permission gets it once, and not after the answer")
    mutating func permission() {
        rules.headArrived(contentLength: 100, awaitsContinue: true, isKeepAlive: true)
        let outcome4 = rules.continues()
        #expect(outcome4)
        let outcome5 = rules.continues()
        #expect(!outcome5)
        rules.bodyArrived(bytes: 100, start)
        rules.endArrived()
        rules.headArrived(contentLength: 100, awaitsContinue: true, isKeepAlive: true)
        rules.bodyArrived(bytes: 1, start)
        let outcome6 = rules.continues()
        #expect(!outcome6)
    }

    @Test("of two pipelined requests the first answer does not say close, the last one does")
    mutating func pipelined() {
        rules.headArrived(contentLength: 0, awaitsContinue: false, isKeepAlive: true)
        rules.endArrived()
        rules.headArrived(contentLength: 0, awaitsContinue: false, isKeepAlive: false)
        rules.endArrived()
        #expect(!rules.isReading)
        let outcome7 = rules.answerBegins(saysClose: false)
        #expect(!outcome7)
        let outcome8 = rules.answerEnded()
        #expect(!outcome8)
        let outcome9 = rules.answerBegins(saysClose: false)
        #expect(outcome9)
        let outcome10 = rules.answerEnded()
        #expect(outcome10)
    }

    @Test("an answer that nobody reads ends the connection")
    mutating func stalledWriter() {
        rules.writability(false, start)
        rules.writability(false, after(10))
        let outcome11 = rules.expiry(after(59))
        #expect(outcome11 == nil)
        let outcome12 = rules.expiry(after(60))
        #expect(outcome12 == .close)
        rules.writability(true, after(60))
        #expect(rules.deadline == nil)
    }

    @Test("when the server stops, an idle connection is closed a moment later")
    mutating func quiescesWhenIdle() {
        rules.quiesce(start)
        #expect(rules.deadline == start + .milliseconds(500))
        let early = rules.expiry(start + .milliseconds(499))
        let late = rules.expiry(start + .milliseconds(500))
        #expect(early == nil && late == .close)
    }

    @Test("when the server stops, a request that is on its way is answered, and is the last")
    mutating func quiescesWithARequestOnItsWay() {
        rules.quiesce(start)
        rules.bytesArrived(after(0))
        #expect(rules.deadline == after(15), "a header that has begun is waited for")
        rules.headArrived(contentLength: 0, awaitsContinue: false, isKeepAlive: true)
        rules.endArrived()
        #expect(rules.deadline == nil && !rules.isReading)
        let says = rules.answerBegins(saysClose: false)
        let closes = rules.answerEnded()
        #expect(says && closes)
    }

    @Test("when the server stops, the answer that is due is the last one")
    mutating func quiescesWhileAnswering() {
        rules.headArrived(contentLength: 0, awaitsContinue: false, isKeepAlive: true)
        rules.endArrived()
        rules.quiesce(start)
        #expect(rules.deadline == nil)
        let says = rules.answerBegins(saysClose: false)
        let closes = rules.answerEnded()
        #expect(says && closes)
    }

    @Test("bytes that are no HTTP fail the body that a route waits for, and nothing else")
    mutating func parsing() {
        rules.bytesArrived(start)
        let outcome13 = rules.parsingFailed()
        #expect(!outcome13)
        rules = ConnectionRules(limits: HTTPLimits())
        rules.headArrived(contentLength: nil, awaitsContinue: false, isKeepAlive: true)
        let outcome14 = rules.parsingFailed()
        #expect(outcome14)
        #expect(rules.closesAfterAnswer)
    }

    @Test(
        "headers that two servers could read in two ways are refused",
        arguments: [
            [("Host", "a"), ("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
            [("Host", "a"), ("Transfer-Encoding", "chunked, chunked")], [("Host", "a"), ("Transfer-Encoding", "gzip")],
            [("Host", "a"), ("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
            [("Host", "a"), ("Content-Length", "5"), ("Content-Length", "5")],
            [("Host", "a"), ("Content-Length", "+5")],
            [("Host", "a"), ("Content-Length", "5, 5")], [("Host", "a"), ("Content-Length", "99999999999999999999")],
            [("Host", "a"), ("Host", "b")], [],
        ] as [[(String, String)]]
    )
    func ambiguous(fields: [(String, String)]) {
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/x", headers: HTTPHeaders(fields))
        #expect(RequestHeadRules.violation(of: head) == .invalidRequest)
    }
}
