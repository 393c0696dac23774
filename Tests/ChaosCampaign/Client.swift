import Foundation
import NIOHTTP1
import TestSupport

/// One question of the traffic, and what its asker does about it.
struct Client: Sendable {
    let user: ServiceClient
    let conversation: Int
    let mark: String
    let promises: Promises

    /// Codes that say for certain that nothing was stored, beside those of the class 4xx.
    private static let finalRefusals: Set = ["queue_full", "storage_full", "draining", "overloaded"]

    private var key: HTTPHeaders { ["Idempotency-Key": mark] }
    private var question: String { "\(mark) What should a lease contain?" }
    private var body: JSON { ["conversation_id": .number(Double(conversation)), "message": .string(question)] }

    /// `POST /chat`, whole.
    func ask() async {
        promises.send(SentQuestion(mark: mark, way: .plain, content: question))
        await send { try await user.post("/chat", body, headers: key) }
    }

    /// The same call twice at once, as an impatient client makes it: one question, one answer.
    func askTwice() async {
        promises.send(SentQuestion(mark: mark, way: .plain, content: question))
        async let first: Void = send(isAlone: false) { try await user.post("/chat", body, headers: key) }
        async let second: Void = send(isAlone: false) { try await user.post("/chat", body, headers: key) }
        _ = await (first, second)
    }

    /// `POST /chat` as a stream.
    func askStreaming() async {
        promises.send(SentQuestion(mark: mark, way: .stream, content: question))
        do {
            try await waiting(for: "the end of a stream", atMost: .seconds(90)) {
                let (status, events) = try await user.events(.POST, "/chat", json: body, headers: key)
                guard status == 200 else { return try await refusedStream(status, events) }
                for try await event in events { take(event) }
            }
        } catch { promises.refused(mark, "connection lost", isFinal: false) }
    }

    /// `POST /chat/file`, watched for a while.
    func upload(_ document: Documents.Document, thenCancel: Bool) async {
        promises.send(SentQuestion(mark: mark, way: .file, content: mark + document.text))
        guard let bytes = try? document.fixture.bytes else { return }
        var form = MultipartForm(fields: [("conversation_id", "\(conversation)"), ("message", mark)])
        form.add(file: document.fixture.name, bytes: bytes)
        let whole = form
        await send { try await user.post("/chat/file", whole, headers: key) }
        guard let id = messageID else { return }
        if thenCancel {
            promises.touched(mark)
            if let reply = try? await user.post("/messages/\(id)/cancel"), reply.status != 409 { look(at: reply, 202) }
        }
        await watch(id)
    }

    /// `POST /messages/{id}/retry` of a question whose answer was an error of the model.
    func retryIfFailed() async {
        guard let id = messageID, promises[mark]?.seenFinal == "failed" else { return }
        promises.touched(mark)
        if let reply = try? await user.post("/messages/\(id)/retry"), reply.status != 409 { look(at: reply, 202) }
        await watch(id)
    }

    /// One more answer to a question that has one.
    func regenerate() async {
        guard let answer = promises[mark]?.answer else { return }
        if let reply = try? await user.post("/messages/\(answer.id)/regenerate") { look(at: reply, 202) }
    }

    private var messageID: Int? { promises[mark]?.messageID }

    /// Sends a call, again with the same key if its outcome is unknown, and writes down what came of it.
    /// - Parameter isAlone: false when another call with this key is under way.
    private func send(isAlone: Bool = true, _ call: () async throws -> Reply) async {
        var isUnknown = !isAlone
        for number in 1...Traffic.sendsMax {
            do {
                if take(try await call(), afterUnknown: isUnknown), !isUnknown || hasPromise { return }
                isUnknown = true
            } catch {
                promises.refused(mark, "connection lost", isFinal: false)
                isUnknown = true
            }
            if number < Traffic.sendsMax { try? await Task.sleep(for: .milliseconds(400)) }
        }
    }

    private var hasPromise: Bool { promises[mark]?.messageID != nil }

    /// - Parameter afterUnknown: whether an earlier call with this key may have been done.
    /// - Returns: whether the outcome of this call is known.
    private func take(_ reply: Reply, afterUnknown: Bool) -> Bool {
        let json = reply.json
        switch (reply.status, json["message_id"].int, json["user_message_id"].int) {
        case (200, let answer?, let id?):
            promises.answered(mark, id, answer: (answer, json["response"].string ?? ""))
        case (202, let id?, _):
            promises.accepted(mark, id, as: "202")
        case (_, _, let id?):
            promises.accepted(mark, id, as: reply.code ?? "\(reply.status)")
            look(at: reply, 0)
            if Judgement.allowedFailures.contains(reply.code ?? "") { promises.seen(mark, "failed") }
        default:
            return look(at: reply, 0, mayBeStored: afterUnknown)
        }
        return true
    }

    /// Counts what is no success, and tells of what must never be answered.
    /// - Returns: whether it says that nothing was stored.
    @discardableResult
    private func look(at reply: Reply, _ expected: Int, mayBeStored: Bool = false) -> Bool {
        guard reply.status != expected else { return true }
        let code = reply.code ?? "status \(reply.status)"
        let isFinal =
            (400..<500).contains(reply.status) && ![408, 409].contains(reply.status)
            || Self.finalRefusals.contains(code)
        let isStored = reply.json["user_message_id"].int != nil || expected != 0 || mayBeStored
        promises.refused(mark, code, isFinal: isFinal && !isStored)
        if [401, 404, 422, 500].contains(reply.status) || reply.code == nil {
            promises.fault("\(mark) was answered \(reply)")
        }
        if reply.status == 429 || reply.status == 503, reply.headers.first(name: "Retry-After").flatMap(Int.init) == nil
        {
            promises.fault("\(mark): \(code) without Retry-After")
        }
        return isFinal
    }

    private func take(_ event: ServerSentEvent) {
        let json = event.json
        switch event.name {
        case "accepted": if let id = json["user_message_id"].int { promises.accepted(mark, id, as: "accepted") }
        case "done":
            guard let id = json["user_message_id"].int, let answer = json["message_id"].int else { return }
            promises.answered(mark, id, answer: (answer, json["response"].string ?? ""))
        case "error":
            let code = json["code"].string ?? "no code"
            promises.refused(mark, code, isFinal: false)
            if Judgement.allowedFailures.contains(code) { promises.seen(mark, "failed") }
            if code == "internal_error" { promises.fault("\(mark): \(event.data)") }
        default: break
        }
    }

    private func refusedStream(_ status: Int, _ events: EventStream) async throws {
        look(at: Reply(status: status, headers: events.headers, body: try await events.bytes()), 0)
    }

    /// Looks at a message until it is final, for some seconds: the campaign's end looks again.
    private func watch(_ id: Int) async {
        let end = ContinuousClock.now + .seconds(15)
        while ContinuousClock.now < end {
            if let reply = try? await user.get("/messages/\(id)"), reply.status == 200,
                let status = reply.json["status"].string, status != "processing"
            {
                return promises.seen(mark, status)
            }
            try? await Task.sleep(for: .milliseconds(250))
        }
    }
}
