import HTTPTypes
import Hummingbird
import NIOCore

/// One thing that must be right before a replica may get requests.
package struct ReadinessCheck: Sendable {
    let name: String
    let problem: @Sendable () async -> String?
    /// What stands in the line when there is no problem.
    let note: String

    /// - Parameter problem: nil when all is well, else a few words on what is wrong, without secrets.
    package init(_ name: String, problem: @escaping @Sendable () async -> String?) {
        self.name = name
        self.problem = problem
        note = "ok"
    }

    /// Something that whoever runs the service should know, and that never keeps requests away.
    package init(_ name: String, note: String) {
        self.name = name
        self.note = note
        problem = { nil }
    }
}

/// GET /health, /livez, /readyz, /metrics, /openapi.json: without a token.
struct HealthRoutes: Sendable {
    let checks: [ReadinessCheck]
    let drain: Drain
    let registry: PrometheusRegistry
    let metrics: RequestMetrics
    let openAPI: [UInt8]
    /// How long one check may take.
    static let checkDuration = Duration.seconds(2)

    func add(to router: Router<ServiceContext>) {
        router.get("health") { _, _ in Response.json(ByteBuffer(staticString: #"{"status":"ok"}"#)) }
        router.get("livez") { _, _ in Self.text("ok\n") }
        router.get("readyz") { _, _ in await readyz() }
        router.get("metrics") { _, _ in exposition() }
        router.get("openapi.json") { _, _ in Response.json(ByteBuffer(bytes: openAPI)) }
    }

    /// One line a check, all of them at once.
    private func readyz() async -> Response {
        guard !drain.isDraining else { return Self.text("draining: yes\n", status: .serviceUnavailable) }
        let outcomes = await withTaskGroup(of: (Int, String?).self) { group in
            for (index, check) in checks.enumerated() {
                group.addTask { (index, await Self.outcome(of: check)) }
            }
            return await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
        }
        var text = ""
        for (index, check) in checks.enumerated() { text += "\(check.name): \(outcomes[index] ?? check.note)\n" }
        return Self.text(text.isEmpty ? "ok\n" : text, status: outcomes.isEmpty ? .ok : .serviceUnavailable)
    }

    private static func outcome(of check: ReadinessCheck) async -> String? {
        await withTaskGroup(of: String?.self) { group in
            group.addTask { await check.problem() }
            group.addTask {
                try? await Task.sleep(for: checkDuration)
                return "no answer in time"
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    private func exposition() -> Response {
        metrics.refresh()
        let headers: HTTPFields = [.contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store"]
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: registry.exposition()))
    }

    private static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        var headers: HTTPFields = [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"]
        if status == .serviceUnavailable { headers[.retryAfter] = "2" }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
