import HTTPTypes
import NIOCore
import Shared
import Testing

@Suite("Entity tags")
struct EntityTagTests {
    private let tag = EntityTag(strongFor: ByteBuffer(string: "body"))

    @Test("a tag is strong, quoted, and the same for the same bytes only")
    func tags() {
        #expect(tag.text.count == 45)
        #expect(tag.text.hasPrefix("\"") && tag.text.hasSuffix("\""))
        #expect(tag == EntityTag(strongFor: ByteBuffer(string: "body")))
        #expect(tag != EntityTag(strongFor: ByteBuffer(string: "bodi")))
    }

    @Test("If-None-Match: any, lists, weak comparison, several fields")
    func conditions() throws {
        let text = tag.text
        let matching = [
            "*", text, "W/" + text, "\"x\", " + text, "W/\"x\" ,\t" + text, ",," + text + ",", "\"a,b\"," + text,
        ]
        for value in matching { #expect(try condition([value]).includes(tag), "\(value)") }
        #expect(try condition(["\"x\"", text]).includes(tag))
        for value in ["\"x\"", "\"x\", W/\"y\"", "\"\(text.dropFirst().dropLast())x\""] {
            #expect(try !condition([value]).includes(tag), "\(value)")
        }
    }

    @Test(
        "what is no list of tags is ignored",
        arguments: ["", "x", "w/\"x\"", "\"x", "\"x\" \"y\"", "*, \"x\"", "W/ \"x\""])
    func ignored(value: String) {
        #expect(EntityTag.Condition(ifNoneMatch: [.ifNoneMatch: value]) == nil)
    }

    private func condition(_ values: [String]) throws -> EntityTag.Condition {
        var fields: HTTPFields = [:]
        for value in values { fields.append(HTTPField(name: .ifNoneMatch, value: value)) }
        return try #require(EntityTag.Condition(ifNoneMatch: fields))
    }
}
