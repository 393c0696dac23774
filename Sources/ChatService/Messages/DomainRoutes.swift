import Hummingbird
import Shared

/// `GET /domains`: the fields of work that a question can name.
struct DomainRoutes: Sendable {
    let domains: Domains

    func list(_ request: Request, _ context: AuthenticatedContext) async throws -> Response {
        var json = JSONWriter()
        json.object { json in
            json.member("domains", array: domains.all) { json, domain in
                json.object { json in
                    json.member("id", domain.id.rawValue)
                    json.member("title", domain.title)
                }
            }
        }
        return .json(json.buffer)
    }
}
