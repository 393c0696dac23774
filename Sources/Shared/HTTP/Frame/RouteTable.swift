import HTTPTypes
import Hummingbird
import Synchronization

/// Which methods each path has: the difference between 404 and 405. Filled when the application is made, when every
/// route has been added; looked at only when a request matched none.
final class RouteTable: Sendable {
    private let routes = Mutex<[(path: RouterPath, method: HTTPRequest.Method)]>([])

    func fill(from router: Router<ServiceContext>) {
        let described = router.routes.map { ($0.path, $0.method) }
        routes.withLock { $0 = described }
    }

    /// The value of `Allow` for a path; nil when no route has it.
    func allow(path: String) -> String? {
        let parts = path.split(separator: "/")
        let methods = routes.withLock { routes in
            Set(routes.filter { Self.matches($0.path, parts) }.map(\.method.rawValue))
        }
        guard !methods.isEmpty else { return nil }
        let further: Set<String> = methods.contains("GET") ? ["HEAD", "OPTIONS"] : ["OPTIONS"]
        return methods.union(further).sorted().joined(separator: ", ")
    }

    /// The answer to OPTIONS that is no preflight, for a known path.
    func options(for request: Request, after error: any Error) -> Response? {
        guard request.method == .options, (error as? HTTPError)?.status == .notFound else { return nil }
        guard let allow = allow(path: request.uri.path) else { return nil }
        return Response(status: .noContent, headers: [.allow: allow])
    }

    private static func matches(_ path: RouterPath, _ parts: [Substring]) -> Bool {
        path.count == parts.count && zip(path, parts).allSatisfy { $0 ~= $1 }
    }
}
