import NIOHTTP1

/// What a request's header may not be, beyond its grammar: everything that two servers in a row could read in two ways
/// (request smuggling), decided before any route.
enum RequestHeadRules {
    /// The problem with a header; nil when there is none.
    static func violation(of head: HTTPRequestHead) -> ProblemCode? {
        let codings = head.headers["Transfer-Encoding"]
        let lengths = head.headers["Content-Length"]
        let hosts = head.headers["Host"]
        if !codings.isEmpty {
            // RFC 9112, section 6.1: both together ought to be handled as an error, and 1.0 knows no codings.
            guard lengths.isEmpty, !head.version.knowsNoChunks else { return .invalidRequest }
            guard codings.count == 1, codings[0].lowercased() == "chunked" else { return .invalidRequest }
        }
        if !lengths.isEmpty {
            guard lengths.count == 1, Int(nonNegativeDecimal: lengths[0]) != nil else { return .invalidRequest }
        }
        // RFC 9112, section 3.2: exactly one Host in HTTP/1.1.
        guard hosts.count <= 1, hosts.count == 1 || head.version.knowsNoChunks else { return .invalidRequest }
        // RFC 9112, section 3.2: we are no proxy; "*" is for OPTIONS, and CONNECT is for nobody.
        guard head.uri.utf8.first == UInt8(ascii: "/") || (head.uri == "*" && head.method == .OPTIONS) else {
            return .invalidRequest
        }
        return nil
    }

    /// How many bytes of body follow; nil when only the chunks tell.
    static func bodyBytes(of head: HTTPRequestHead) -> Int? {
        if let length = head.headers.first(name: "Content-Length") { return Int(length) }
        return head.headers.contains(name: "Transfer-Encoding") ? nil : 0
    }
}

extension HTTPVersion {
    /// HTTP/1.0 and before.
    var knowsNoChunks: Bool { major < 1 || (major == 1 && minor == 0) }
}

extension Int {
    fileprivate init?(nonNegativeDecimal text: String) {
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        self.init(text)
    }
}
