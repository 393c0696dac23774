import HTTPTypes
import Testing

@testable import Shared

@Suite("Whether a stream of events is asked for")
struct AcceptedTypeTests {
    @Test(
        arguments: [
            ["text/event-stream"], ["Text/Event-Stream; charset=utf-8"], ["application/json, text/event-stream;q=0.9"],
            ["text/html", "text/event-stream"], ["*/*;q=0, text/event-stream ; q=0.001"],
        ])
    func itIs(accept: [String]) {
        #expect(fields(accept).acceptsEventStream)
    }

    @Test(
        arguments: [
            [], [""], ["*/*"], ["text/*"], ["application/json"], ["text/event-stream;q=0"],
            ["text/event-stream; Q=0.000, application/json"], ["text/event-streams"],
            ["application/x;of=text/event-stream"],
        ])
    func itIsNot(accept: [String]) {
        #expect(!fields(accept).acceptsEventStream)
    }

    private func fields(_ accept: [String]) -> HTTPFields {
        var fields = HTTPFields()
        for line in accept { fields.append(HTTPField(name: .accept, value: line)) }
        return fields
    }
}
