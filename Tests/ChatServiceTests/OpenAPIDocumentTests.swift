import Foundation
import Logging
import Shared
import TestSupport
import Testing

@testable import ChatService

@Suite("The OpenAPI document")
struct OpenAPIDocumentTests {
    private let document: [String: Any]

    init() throws {
        let json = try JSONSerialization.jsonObject(with: Data(PackageResources.openapi_json))
        document = try #require(json as? [String: Any])
    }

    @Test func itListsExactlyTheRoutesThatAreServed() throws {
        var reader = SettingsReader(values: [
            "DATABASE_URL": "postgresql://nowhere.invalid/parley", "JWT_SECRET": "9f2c81d07be34a65b1e0c7d2a4f86530",
        ])
        let settings = ChatSettings(&reader)
        try reader.finish()
        let router = try ChatApplication(settings, logger: Logger(label: "document")).router()
        let served = router.routes.filter { $0.method != .head }.map { route in
            "\(route.method.rawValue.lowercased()) \(Self.withSlash(route.path.description))"
        }
        var listed: [String] = []
        for (path, operations) in try #require(document["paths"] as? [String: [String: Any]]) {
            listed += operations.keys.map { "\($0) \(path)" }
        }
        #expect(listed.sorted() == served.sorted())
    }

    @Test func everyReferenceLeadsSomewhere() throws {
        var references: Set<String> = []
        visit(document) { object in
            if let reference = object["$ref"] as? String { references.insert(reference) }
        }
        #expect(references.count > 20)
        for reference in references {
            let keys = reference.split(separator: "/").dropFirst()
            let target = keys.reduce(document as Any?) { ($0 as? [String: Any])?[String($1)] }
            #expect(target != nil, "\(reference)")
        }
    }

    @Test func everyProblemInItIsOneOfTheCatalogueUnderItsStatus() throws {
        var examples = 0
        visit(document) { object in
            guard let type = object["type"] as? String, type.hasPrefix("urn:parley:problem:") else { return }
            examples += 1
            let code = ProblemCode(rawValue: object["code"] as? String ?? "")
            #expect(code?.type == type)
            #expect(code?.status == object["status"] as? Int)
            #expect(code?.title == object["title"] as? String)
            #expect(code?.detail == object["detail"] as? String)
        }
        #expect(examples > 40)
        visit(document) { object in
            guard let responses = object["responses"] as? [String: [String: Any]] else { return }
            for (status, response) in responses where Int(status) != nil {
                visit(response) { #expect($0["request_id"] == nil || $0["status"] as? Int == Int(status)) }
            }
        }
    }

    @Test func everyParameterAndEveryBodyHasAnExample() throws {
        let schemas = try #require((document["components"] as? [String: Any])?["schemas"] as? [String: [String: Any]])
        var count = 0
        visit(document) { object in
            let isParameter = object["in"] != nil && object["name"] != nil && object["schema"] != nil
            let contents = (object["content"] as? [String: [String: Any]]).map { Array($0.values) } ?? []
            for one in contents + (isParameter ? [object] : []) {
                count += 1
                let schema = one["schema"] as? [String: Any] ?? [:]
                let name = (schema["$ref"] as? String)?.split(separator: "/").last.map(String.init)
                let places = [one, schema, name.flatMap { schemas[$0] } ?? [:]]
                #expect(places.contains { $0["example"] != nil || $0["examples"] != nil }, "\(one)")
            }
        }
        #expect(count > 60)
    }

    @Test func everyOperationHasANameASummaryAndItsAccess() throws {
        var names: [String] = []
        visit(document) { object in
            guard let name = object["operationId"] as? String else { return }
            names.append(name)
            #expect((object["summary"] as? String)?.isEmpty == false, "\(name)")
            #expect(object["security"] is [Any], "\(name)")
        }
        #expect(names.count == Set(names).count)
    }

    @Test func itsListsAreThoseOfTheProgram() throws {
        let schemas = try #require((document["components"] as? [String: Any])?["schemas"] as? [String: [String: Any]])
        let listed: (String, String) -> [String]? = { schema, member in
            let properties = schemas[schema]?["properties"] as? [String: [String: Any]]
            return properties?[member]?["enum"] as? [String]
        }
        #expect(listed("Domain", "id") == Domain.ID.allCases.map(\.rawValue))
        let types = Set(DocumentType.allCases.map(\.contentType))
        #expect(Set(listed("File", "content_type") ?? []) == types)
        #expect(listed("MessageError", "code")?.allSatisfy { ProblemCode(rawValue: $0) != nil } == true)
    }

    private static func withSlash(_ path: String) -> String { path.hasPrefix("/") ? path : "/" + path }

    /// Calls `look` with every object below `value`, `value` included.
    private func visit(_ value: Any, _ look: ([String: Any]) -> Void) {
        if let object = value as? [String: Any] {
            look(object)
            for member in object.values { visit(member, look) }
        } else if let array = value as? [Any] {
            for element in array { visit(element, look) }
        }
    }
}
