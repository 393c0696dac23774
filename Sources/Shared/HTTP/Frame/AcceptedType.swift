package import HTTPTypes
package import Hummingbird

extension Request {
    /// Whether the client asks for a stream of events.
    package var acceptsEventStream: Bool { headers.acceptsEventStream }
}

extension HTTPFields {
    /// Whether `Accept` names `text/event-stream`, and not only to refuse it with the weight 0 (RFC 9110 §12.4.2 and
    /// §12.5.1). A range such as `*/*` asks for no stream.
    package var acceptsEventStream: Bool {
        self[values: .accept].contains { line in
            line.lowercased().split(separator: ",").contains { range in
                let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
                return parts.first == "text/event-stream" && !parts.dropFirst().contains(where: Self.isZeroWeight)
            }
        }
    }

    private static func isZeroWeight(_ parameter: String) -> Bool {
        parameter.hasPrefix("q=") && Double(parameter.dropFirst(2)) == 0
    }
}
